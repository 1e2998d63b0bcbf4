import { readFileSync } from 'node:fs'
import { connect, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { hashSync } from '@node-rs/bcrypt'
import got from 'got'
import t, { type Test } from 'tap'
import { startSandbox, type Fault, type FaultKind } from '../sandbox/index.js'
import { owner } from '../services/configuration/index.js'
import { createAccounts } from '../services/spot/accounts.js'
import { systemClock as clock } from '../services/spot/clock.js'
import { SpotError } from '../services/spot/error.js'
import { createLimit } from '../services/spot/stages/limit/index.js'
import { Memory } from '../services/spot/stages/memory/index.js'
import { localStamps } from '../services/spot/stages/memory/stamps.js'
import { startGateway, type Reply, type RequestOptions } from './helper.js'
import { testDirectory } from './test-directory.js'

const base64 = (text: string) => Buffer.from(text).toString('base64')

const vendorToken = 'canary-of-the-vendor-token'
const key = 'canary-of-the-pre-shared-key'
const hashes = { valid: hashSync(key, 4), wrong: hashSync('another key altogether', 4) }
const script = '#!/bin/sh\necho canary in user data\n'
const sent = {
  password: 'canary-of-a-password',
  token: 'canary-of-an-integration-token',
  userData: base64(script),
  shutdownScript: base64('#!/bin/sh\necho canary in a shutdown script\n')
}
const secrets: Record<string, string> = { vendorToken, key, ...hashes, script, ...sent }

/** Names of the secrets that stand in a text, as they are or as JSON writes them. */
const secretsIn = (text: string) => Object.entries(secrets)
  .filter(([, secret]) => text.includes(secret) || text.includes(JSON.stringify(secret).slice(1, -1)))
  .map(([name]) => name)

const { userData, shutdownScript, ...ofJenkins } = sent
const compute = { product: 'Linux/UNIX', subnetIds: ['subnet-1'], launchSpecification: { userData, shutdownScript } }
const thirdPartiesIntegration = { jenkins: { connectionMethod: { jnlp: { masterIP: '10.0.0.1', ...ofJenkins } } } }
const capacity = { target: 1, minimum: 1, maximum: 1 }
const group = { name: 'x', strategy: {}, region: 'us-east-1', capacity, compute, thirdPartiesIntegration }
const instance = { name: 'x', region: 'us-east-1', compute }

const groups = '/v1/spot/demo/elastigroups'
const instances = '/v1/spot/demo/instances'
const calls = [
  ['GET', groups], ['POST', groups, group], ['GET', `${groups}/sig-1`], ['PUT', `${groups}/sig-1`, { compute }],
  ['DELETE', `${groups}/sig-1`], ['POST', instances, instance], ['GET', `${instances}/smi-1/costs`]
] as const

const kinds: FaultKind[] = ['reset', 'hang', 'garbage', 'truncated', 'stall', 'html', 'redirect', 'wrong-content-type']
const faults: Fault[] = [
  ...kinds.map((kind) => ({ kind, times: Infinity })),
  // A rate limit that is over at once: the calls after it are to reach Spot.
  ...[400, 401, 403, 404, 429, 500, 503].map((status) =>
    ({ status, times: Infinity, headers: { 'x-ratelimit-reset': '0' } }))
]

/**
 * Milliseconds that a call may take. Only `hang`, `stall` and reads that are tried again wait until it is over, all of
 * them at once. The other faults are to be met before that, on a busy machine too.
 */
const DEADLINE = 3000

/** A Spot for the account `demo`, and one for each fault: an account that fails again and again is held back. */
async function startSpot (t: Test) {
  const access = { id: 'act-5a9db0c5', token: vendorToken }
  async function one () {
    const sandbox = await startSandbox({ accounts: [access] })
    t.teardown(() => sandbox.close())
    return { sandbox, account: { ...access, endpoint: sandbox.url, defaultVPC: 'vpc-1' } }
  }
  const [demo, closed] = [await one(), await one()]
  await closed.sandbox.close()
  const faulty = await Promise.all(faults.map(one))
  for (const [index, { sandbox }] of faulty.entries()) sandbox.faults.inject(faults[index] as Fault)
  const accounts = Object.fromEntries(faulty.map(({ account }, index) => [`fault${index}`, account]))
  return { sandbox: demo.sandbox, accounts: { demo: demo.account, closed: closed.account, ...accounts } }
}

/** The gateway at its most talkative in front of a sandbox, and a look at all that it let out. */
async function startTalkative (t: Test) {
  const { accounts } = await startSpot(t)
  const file = join(testDirectory(t), 'audit.log')
  const deadlines = { read: DEADLINE, write: DEADLINE }
  const configuration = { audit: { file }, clients: [owner(key)], logLevel: 'trace', accounts, deadlines }
  const gateway = await startGateway(t, { configuration })
  const replies: (Reply & { method: string })[] = []
  return {
    ...gateway,
    async request (method: string, path: string, options: RequestOptions = {}) {
      const reply = await gateway.request(method, path, { token: hashes.valid, ...options })
      replies.push({ ...reply, method })
      return reply
    },
    async nothingIsOut () {
      const metrics = await gateway.request('GET', '/v1/spot/metrics')
      t.strictSame(secretsIn(metrics.text), [], 'no metric has a secret')
      t.ok(gateway.log.length > replies.length / 2, 'the log says something')
      t.strictSame(secretsIn(gateway.log.join('\n')), [], 'no line of the log has a secret')
      t.strictSame(secretsIn(JSON.stringify(replies.map(({ headers }) => headers))), [], 'no header has a secret')
      const audit = readFileSync(file, 'utf8')
      const writes = replies.filter(({ method, status }) => method !== 'GET' && ![401, 405, 414].includes(status))
      t.equal(audit.split('\n').length - 1, writes.length, 'each write has a line')
      t.strictSame(secretsIn(audit), [], 'no line of the audit has a secret')
      const problems = replies.filter(({ status }) => status >= 400)
      t.strictSame(secretsIn(problems.map(({ text }) => text).join('\n')), [], 'no problem has a secret')
    }
  }
}

t.test('no secret gets out of requests that succeed, except in the resource itself', async (t) => {
  const { request, nothingIsOut } = await startTalkative(t)
  for (const [path, resource] of [[groups, group], [instances, instance]] as const) {
    const created = await request('POST', path, { body: resource })
    t.equal(created.status, 201)
    const one = created.headers.location as string
    t.ok(secretsIn((await request('GET', one)).text).includes('userData'), 'what Spot has is shown to who asks for it')
    for (const other of [path, `${one}/status`, `${one}/costs`]) {
      t.strictSame(secretsIn((await request('GET', other)).text), [], other)
    }
    const change = { body: { compute, ...path === groups && { thirdPartiesIntegration } } }
    for (const [method, where, options] of [['POST', path, { body: resource }], ['PUT', one, change]] as const) {
      const tried = await request(method, `${where}?dryRun=true`, options)
      t.strictSame([tried.status, secretsIn(tried.text)], [412, []], 'no dry run has a secret')
      t.match(tried.json, { preview: { request: { headers: { authorization: '(masked)' } } } })
    }
    t.equal((await request('PUT', one, { body: { compute: { launchSpecification: { userData } } } })).status, 200)
    t.equal((await request('DELETE', one)).status, 204)
  }
  for (const path of ['ping', 'version', 'openapi.json', 'openapi.yaml', 'docs/']) {
    const reply = await request('GET', `/v1/spot/${path}`)
    t.equal(reply.status, 200)
    t.strictSame(secretsIn(reply.text), [], path)
  }
  await nothingIsOut()
})

t.test('no secret gets out, whatever Spot does', async (t) => {
  const { request, nothingIsOut } = await startTalkative(t)
  await Promise.all(faults.flatMap((fault, index) => calls.map(async ([method, path, body]) => {
    const { status } = await request(method, path.replace('demo', `fault${index}`), { body })
    t.ok(status >= 400, `${JSON.stringify(fault)}: ${method} ${path}: ${status}`)
  })))
  for (const [method, path, body] of calls) {
    t.equal((await request(method, path.replace('demo', 'closed'), { body })).status, 502, 'refused')
  }
  await nothingIsOut()
})

t.test('the error of a failed call shows no token, however it is printed', async (t) => {
  const { accounts } = await startSpot(t)
  const observed: object[] = []
  const names = [...faults.keys()].map((index) => `fault${index}`)
  await Promise.all([...names, 'closed'].map(async (name, index) => {
    const what = JSON.stringify(faults[index] ?? name)
    const timeLimits = { read: DEADLINE, write: DEADLINE }
    let attempts = 0
    const observe = (_: string, call: object) => {
      attempts++
      observed.push(call)
    }
    const memory = new Memory({ freshFor: 0, staleFor: 0, settle: 0, stamps: localStamps(clock.now), clock })
    const limit = createLimit({ clock, shareOf: () => 1, onBlock () {}, onShared () {} })
    const spot = createAccounts(accounts, { version: 'test', timeLimits, observe, memory, limit })
    const { elastigroups } = spot.account(name, { kind: 'write', fresh: true })
    await Promise.all([elastigroups.list, () => elastigroups.create(group)].map(async (call) => {
      const error: unknown = await call().catch((error: unknown) => error)
      t.ok(error instanceof SpotError, what)
      const inspected = inspect(error, { depth: null, showHidden: true, getters: true })
      t.strictSame(secretsIn([inspected, JSON.stringify(error), String(error)].join('\n')), [])
    }))
    spot.close()
    t.ok(attempts > 0, `${what}: and each is observed`)
  }))
  t.strictSame(secretsIn(inspect(observed, { depth: null, showHidden: true })), [], 'nor does what is observed')
})

t.test('a refusal does not repeat the secrets of the request', async (t) => {
  const { request, app, nothingIsOut } = await startTalkative(t)
  const { password } = sent
  for (const [options, status] of [
    [{ body: { ...group, compute: { launchSpecification: { userData: script, shutdownScript: script } } } }, 400],
    [{ body: { ...group, compute: userData } }, 400],
    [{ body: { ...group, thirdPartiesIntegration: { rancher: { accessKey: [password] } } } }, 400],
    [{ body: { ...group, thirdPartiesIntegration: { jenkins: password } } }, 400],
    [{ body: [group] }, 400],
    [{ body: JSON.stringify(password) }, 400],
    [{ body: password }, 400],
    [{ body: `{"password": "${password}",}` }, 400],
    [{ body: `{"__proto__": "${password}"}` }, 400],
    [{ body: password, headers: { 'content-type': 'text/plain' } }, 415],
    [{ body: { ...group, name: ' '.repeat(1024 * 1024) } }, 413],
    [{ body: group, token: hashes.wrong }, 401],
    [{ body: group, token: key }, 401],
    [{ body: group, token: `Bearer ${key}` }, 401],
    [{ body: group, token: hashes.valid.slice(2) }, 401],
    [{ body: group, token: hashes.valid + hashes.valid }, 401],
    [{ body: group, token: null, headers: { authorization: `Bearer ${key}` } }, 401],
    [{ body: group, headers: { 'x-request-id': `${key}!` } }, 201]
  ] as const) t.equal((await request('POST', groups, options)).status, status, inspect(options).slice(0, 80))

  for (const [method, path, status] of [
    ['GET', '/nowhere', 404], ['PATCH', groups, 405], ['GET', `${groups}/%zz`, 400],
    ['PUT', `${groups}/${'x'.repeat(200)}`, 414]
  ] as const) t.equal((await request(method, path, { body: group })).status, status, path)
  t.equal((await request('GET', '/nowhere', { headers: { 'x-secret': key.repeat(1000) } })).status, 431)

  const { port } = app.server.address() as AddressInfo
  const answered = await new Promise<string>((resolve, reject) => {
    let text = ''
    const socket = connect(port, '127.0.0.1').end(`GET ${groups} HTTP/1.1\r\n${key}: \0${hashes.valid}\r\n\r\n`)
    socket.on('data', (chunk) => { text += String(chunk) }).on('end', () => resolve(text)).on('error', reject)
  })
  t.match(answered, /^HTTP\/1\.1 400 /)
  t.strictSame(secretsIn(answered), [])
  await nothingIsOut()
})

t.test('no secret gets out through a bug, though errors of the HTTP client carry our token', async (t) => {
  const { request, app, log, nothingIsOut } = await startTalkative(t)
  const headers = { authorization: `Bearer ${vendorToken}` }
  const closed = got('http://127.0.0.1:1/', { headers, retry: { limit: 0 } })
  const failed: unknown = await closed.catch((error: unknown) => error)
  t.ok(inspect(failed, { depth: null }).includes(vendorToken), 'the error itself shows it')

  for (const bug of [
    failed,
    new Error('a bug', { cause: failed }),
    new AggregateError([failed], 'a bug'),
    Object.assign(new Error('a bug'), { failed, headers })
  ]) {
    app.spot.account = () => { throw bug }
    const { status, json } = await request('GET', groups)
    t.equal(status, 500)
    const line = log.find((line) => line.includes('unexpected error') && line.includes(json.requestId)) ?? '{}'
    t.match(JSON.parse(line), { level: 50, err: { message: /a bug|ECONN/, stack: /\n +at / } }, 'the log says where')
  }
  for (const bug of [null, undefined, vendorToken, { headers }]) {
    app.spot.account = () => { throw bug }
    t.equal((await request('GET', groups)).status, 500, 'whatever is thrown')
  }
  await nothingIsOut()
})
