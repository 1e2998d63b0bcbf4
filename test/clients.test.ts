import { hashSync } from '@node-rs/bcrypt'
import t, { type Test } from 'tap'
import { document, operationsOf } from '../openapi/document.js'
import type { Client } from '../services/access/clients.js'
import { owner } from '../services/configuration/index.js'
import { startSandbox } from '../sandbox/index.js'
import { KEY, startGateway, TOKEN, type GatewayOptions } from './helper.js'

const { examples } = document.components as unknown as { examples: Record<string, { value: object }> }

/** A client of a test, whose key is its name, more or less. */
const client = (name: string, rest: Partial<Client>): Client => ({
  name, keys: [keyOf(name)], accounts: ['demo'], access: 'read', allowDelete: rest.access === 'admin', ...rest
})
const keyOf = (name: string) => `the-key-of-${name}-0`
const tokens = new Map<string, string>()
function tokenOf (name: string, key = keyOf(name)) {
  const token = tokens.get(key) ?? hashSync(key, 4)
  tokens.set(key, token)
  return { 'x-auth-token': token, 'x-auth-client': name }
}

const clients = [
  client('reader', {}),
  client('reader-of-all', { accounts: ['*'] }),
  client('writer', { access: 'write' }),
  client('deleter', { access: 'write', allowDelete: true }),
  client('admin', { access: 'admin' }),
  client('keeper', { access: 'admin', allowDelete: false, accounts: ['demo', 'second'] })
]

/** A gateway with two accounts and the clients, in front of a Spot whose limit is far away. */
async function startFor (t: Test, { configuration, ...options }: GatewayOptions = {}) {
  const accounts = [
    { id: 'act-5a9db0c5', token: 'vendor-token-for-tests' }, { id: 'act-00000002', token: 'another-vendor-token' }
  ] as const
  const sandbox = await startSandbox({ accounts: [...accounts], rateLimit: 1_000_000 })
  t.teardown(() => sandbox.close())
  const [demo, second] = accounts.map((account) => ({ ...account, endpoint: sandbox.url, defaultVPC: 'vpc-1' }))
  const gateway = await startGateway(t, {
    configuration: { accounts: { demo, second } as never, clients: [owner(KEY), ...clients], ...configuration },
    ...options
  })
  return { ...gateway, sandbox }
}

/** Ids that Spot does not know: what reaches it changes nothing. */
const ids: Record<string, string> = {
  elastigroup: 'sig-none',
  instance: 'smi-none',
  roll: 'sbgd-none',
  statefulInstance: 'ssi-none',
  ec2Instance: 'i-none',
  volume: 'vol-none',
  import: 'm-none'
}

const bodies: Record<string, unknown> = {
  createElastigroup: examples.ElastigroupCreateExample?.value,
  createInstance: examples.ManagedInstanceCreateExample?.value,
  updateElastigroupCapacity: { target: 1 },
  detachInstances: { instancesToDetach: ['i-0123456789abcdef0'], shouldTerminateInstances: false },
  createSuspensions: { suspensions: [{ name: 'AUTO_SCALE' }] },
  createRoll: { batchSizePercentage: 50, gracePeriod: 60 },
  createRollAction: { actionType: 'DETACH_NEW' },
  updateInstanceStates: [{ id: 'smi-none', state: 'PAUSE' }],
  createImport: { originalInstanceId: 'i-0123456789abcdef0', region: 'us-east-1', shouldTerminateInstance: false }
}
const queries: Record<string, string> = { deleteSuspensions: '?process=AUTO_SCALE' }

/** What each operation takes, by the words of its documentation: listed, so that a new one is thought about. */
const deletes = ['deleteElastigroup', 'deleteInstance', 'deleteInstanceVolume', 'deallocateStatefulInstance']

t.test('client × account × operation: allowed or denied as configured, and a denial makes no call', async (t) => {
  const { request, sandbox, log } = await startFor(t)
  const operations = operationsOf(document).filter(({ path, operation }) =>
    path.includes('{account}') && operation.security?.length !== 0)
  let denied = 0
  let allowed = 0
  for (const { name, access, accounts, allowDelete } of clients) {
    for (const account of ['demo', 'second', 'nowhere']) {
      for (const { path, method, operation: { operationId } } of operations) {
        const writes = method !== 'get'
        const may = (accounts.includes('*') || accounts.includes(account)) && (!writes || access !== 'read') &&
          (!deletes.includes(operationId) || allowDelete)
        const filled = path.replace(/\{(\w+)\}/g, (_, word) => word === 'account' ? account : ids[word] ?? 'none')
        const body = writes ? bodies[operationId] ?? (method === 'put' ? { name: 'x' } : undefined) : undefined
        const before = sandbox.transcript.length
        const reply = await request(method.toUpperCase(), filled + (queries[operationId] ?? ''), {
          headers: tokenOf(name), token: null, body
        })
        const called = sandbox.transcript.length > before
        const what = `${name} ${operationId} in ${account}: ${reply.status}`
        if (may) {
          allowed++
          const passed = called && ![401, 403].includes(reply.status)
          const fits = account === 'nowhere' ? reply.status === 404 && !called : passed
          if (!fits) t.fail(`${what} ${reply.text.slice(0, 300)}`)
        } else {
          denied++
          const named = reply.json?.detail?.includes(name) && reply.json.hint.includes('whoami')
          if (reply.status !== 403 || called || !named) t.fail(what)
        }
      }
    }
  }
  t.comment(`${denied} denied with no call to Spot, ${allowed} allowed`)
  t.ok(denied > 500 && allowed > 200)
  const { text } = await request('GET', '/v1/spot/metrics')
  const counts = [...text.matchAll(/^spot_api_refusals_total\{reason="\w+"\} (\d+)$/gm)].map(([, count]) => Number(count))
  t.equal(counts.reduce((sum, count) => sum + count, 0), denied, 'each is counted')
  const named = log.some((line) => line.includes('"client":"keeper"') && line.includes('"account":"second"'))
  t.ok(named, 'the log names who and where')
})

t.test('a body that ends instances needs allowDelete', async (t) => {
  const { request, sandbox } = await startFor(t)
  const ends = [
    ['POST', 'elastigroups/sig-none/detach', {
      instancesToDetach: ['i-0123456789abcdef0'], shouldTerminateInstances: true
    }],
    ['PUT', 'instances/state', [{ id: 'smi-none', state: 'PAUSE' }, { id: 'smi-none', state: 'TERMINATE' }]]
  ] as const
  for (const [method, path, body] of ends) {
    for (const [name, status] of [['writer', 403], ['keeper', 403]] as const) {
      const reply = await request(method, `/v1/spot/demo/${path}`, { token: null, headers: tokenOf(name), body })
      t.equal(reply.status, status, `${name} ${path}`)
    }
    t.equal(sandbox.transcript.length, 0)
    await request(method, `/v1/spot/demo/${path}`, { token: null, headers: tokenOf('deleter'), body })
    t.equal(sandbox.transcript.splice(0).length > 0, true, 'who may delete reaches Spot')
  }
})

t.test('clients see who they are, and their own accounts only', async (t) => {
  const expires = Date.parse('2099-12-31T12:00:00Z')
  const { request } = await startFor(t, {
    configuration: { clients: [owner(KEY), ...clients, client('guest', { expires, accounts: ['second'] })] }
  })
  const ask = async (path: string, name: string) =>
    (await request('GET', `/v1/spot/${path}`, { token: null, headers: tokenOf(name) })).json
  t.strictSame(await ask('whoami', 'guest'), {
    name: 'guest', accounts: ['second'], access: 'read', allowDelete: false, expires: '2099-12-31T12:00:00.000Z'
  })
  t.strictSame(await ask('whoami', 'reader-of-all'), {
    name: 'reader-of-all', accounts: ['demo', 'second'], access: 'read', allowDelete: false, expires: null
  })
  t.strictSame((await request('GET', '/v1/spot/whoami')).json, {
    name: 'default', accounts: ['demo', 'second'], access: 'admin', allowDelete: true, expires: null
  })
  t.strictSame((await ask('accounts', 'guest')).map(({ name }: { name: string }) => name), ['second'])
  t.strictSame((await ask('accounts', 'reader')).map(({ name }: { name: string }) => name), ['demo'])
})

t.test('keys of a client: two at once, expired ones, those of others, and more than keysTried', async (t) => {
  const { request } = await startFor(t, {
    configuration: {
      keysTried: 3,
      clients: [
        client('rotating', { keys: ['the-old-key-of-it', 'the-new-key-of-it'] }),
        client('gone', { expires: Date.now() - 1 }),
        client('last', {})
      ]
    }
  })
  const status = async (headers: Record<string, string>) =>
    (await request('GET', '/v1/spot/whoami', { token: null, headers })).status
  const without = (headers: Record<string, string>) => ({ 'x-auth-token': headers['x-auth-token'] as string })
  for (const key of ['the-old-key-of-it', 'the-new-key-of-it']) {
    t.equal(await status(tokenOf('rotating', key)), 200, key)
    t.equal(await status(without(tokenOf('rotating', key))), 200, 'without a name')
  }
  const ended = await request('GET', '/v1/spot/whoami', { token: null, headers: tokenOf('gone') })
  t.match(ended, { status: 401, json: { detail: /gone ended at/ } })
  t.equal(await status(tokenOf('last')), 200)
  t.equal(await status(without(tokenOf('last'))), 401, 'its key is the fourth, and three are tried')
  t.equal(await status({ ...tokenOf('last'), 'x-auth-client': 'rotating' }), 401, "another's name")
  t.equal(await status({ ...tokenOf('last'), 'x-auth-client': 'nobody' }), 401, "nobody's name")
  t.equal(await status(tokenOf('last')), 200, 'and it still opens the door under its own')
})

const secret = 'a-password-of-jenkins'
const userData = Buffer.from('#!/bin/sh\necho a secret\n').toString('base64')
const group = {
  ...examples.ElastigroupCreateExample?.value,
  compute: {
    product: 'Linux/UNIX',
    instanceTypes: { ondemand: 't3.micro', spot: ['t3.micro'] },
    launchSpecification: { userData }
  },
  thirdPartiesIntegration: { jenkins: { connectionMethod: { jnlp: { masterIP: '10.0.0.1', password: secret } } } }
}

t.test('a client that may only read gets masked secrets, and a mask cannot be written back', async (t) => {
  const { request, sandbox } = await startFor(t, {
    configuration: { reads: { freshFor: 60_000, staleFor: 60_000 } }
  })
  const { headers: { location = '' } } = await request('POST', '/v1/spot/demo/elastigroups', { body: group })
  const read = async (name: string | undefined) => await request('GET', location, name === undefined
    ? {}
    : { token: null, headers: tokenOf(name) })
  const etags = new Set()
  for (const name of [undefined, 'reader', undefined, 'reader', 'writer', 'reader-of-all']) {
    const { text, headers } = await read(name)
    const masked = name?.startsWith('reader') ?? false
    t.equal(text.includes(secret) || text.includes(userData), !masked, `${name}`)
    t.equal(text.includes('(masked)'), masked)
    etags.add(`${masked} ${headers.etag}`)
  }
  t.equal(etags.size, 2, 'each has an ETag of its own')

  const { json: { id, createdAt, updatedAt, ...seen } } = await read('reader')
  const calls = sandbox.transcript.length
  const back = await request('PUT', location, { token: null, headers: tokenOf('writer'), body: seen })
  t.match(back, { status: 422, json: { type: /masked-secret/ } })
  t.strictSame(back.json.errors.map(({ pointer }: { pointer: string }) => pointer).toSorted(), [
    '#/compute/launchSpecification/userData', '#/thirdPartiesIntegration/jenkins/connectionMethod/jnlp/password'
  ])
  t.equal(sandbox.transcript.length, calls, 'Spot is not asked')
})

t.test('an Idempotency-Key belongs to its client', async (t) => {
  const { request } = await startFor(t)
  const create = (name: string) => request('POST', '/v1/spot/demo/elastigroups', {
    token: null, headers: { ...tokenOf(name), 'idempotency-key': 'the-same' }, body: group
  })
  const [ours, theirs] = [await create('writer'), await create('admin')]
  t.strictSame([ours.status, theirs.status], [201, 201])
  t.not(ours.json.id, theirs.json.id)
  t.equal((await create('writer')).json.id, ours.json.id)
})

t.test('a client that names itself is found among more keys than keysTried', async (t) => {
  const many = Array.from({ length: 50 }, (_, index) => client(`client-${index}`, {}))
  const { request } = await startFor(t, { configuration: { clients: [...many, owner(KEY)], keysTried: 2 } })
  const ask = async (token: string, headers = {}) =>
    (await request('GET', '/v1/spot/whoami', { token, headers })).status
  t.equal(await ask(hashSync('a wrong key altogether', 4)), 401)
  t.equal(await ask(hashSync('another wrong key', 4), { 'x-auth-client': 'client-49' }), 401)
  t.equal(await ask(TOKEN, { 'x-auth-client': 'default' }), 200)
})
