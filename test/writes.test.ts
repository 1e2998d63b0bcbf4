import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { document, operationsOf } from '../openapi/document.js'
import { operations } from '../openapi/operations.js'
import { owner } from '../services/configuration/index.js'
import type { Guardrails } from '../services/guardrails/index.js'
import { MASK_BASE64 } from '../services/masking/index.js'
import { problemType } from '../services/problems/index.js'
import { KEY, start } from './helper.js'
import { testDirectory } from './test-directory.js'
import { validCall, validGroup as group, validInstance } from './valid-calls.js'

/* What happens to a write on its way: guardrails, dry runs, the audit. */

const groups = '/v1/spot/demo/elastigroups'
const account = { id: 'act-5a9db0c5', token: 'vendor-token-for-tests', defaultVPC: 'vpc-1' }

/** A gateway whose account, and whose one client, have rules. */
async function startGuarded (t: Test, guardrails?: Guardrails, ofClient?: Guardrails) {
  const { sandbox } = await start(t, { sandbox: { accounts: [account], rateLimit: 1_000_000 } })
  const file = join(testDirectory(t), 'audit.log')
  const gateway = await start(t, {
    configuration: {
      accounts: { demo: { ...account, endpoint: sandbox.url, ...guardrails && { guardrails } } },
      clients: [{ ...owner(KEY), guardrails: ofClient }],
      audit: { file }
    }
  })
  return {
    ...gateway,
    sandbox,
    file,
    writes: () => sandbox.transcript.filter(({ method }) => method !== 'GET').length,
    audit: () => readFileSync(file, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line))
  }
}

t.test('guardrails refuse a write by what it would leave behind, with a pointer for each', async (t) => {
  const rules = { maxCapacity: 5, regions: ['us-east-1'], instanceTypes: ['t3.*'], protectedTags: ['keep'] }
  const { request, writes } = await startGuarded(t, rules, { maxCapacity: 4 })
  const location = (await request('POST', groups, { body: group })).headers.location as string
  const tags = [{ tagKey: 'keep', tagValue: 'yes' }]
  const guarded = { ...group, compute: { ...group.compute, launchSpecification: { tags } } }
  const kept = (await request('POST', groups, { body: guarded })).headers.location as string
  const before = writes()
  const table: [string, string, unknown, string[]][] = [
    ['POST', groups, { ...group, capacity: { ...group.capacity, maximum: 9 } }, ['#/capacity/maximum']],
    ['POST', groups, { ...group, region: 'eu-west-1' }, ['#/region']],
    ['PUT', location, { compute: { instanceTypes: { spot: ['t3.large', 'm5.24xlarge'] } } },
      ['#/compute/instanceTypes/spot/1']],
    ['PUT', location, { capacity: { maximum: 5 } }, ['#/capacity/maximum']], // its client may have 4
    ['PUT', `${location}/capacity`, { maximum: 6 }, ['#/maximum']],
    ['DELETE', kept, undefined, ['elastigroup']],
    ['PUT', `${kept}/capacity`, { target: 0 }, ['#/target']],
    ['PUT', kept, { compute: { launchSpecification: { tags: [] } } }, ['#/compute/launchSpecification/tags']]
  ]
  for (const [method, path, body, places] of table) {
    for (const query of ['', '?dryRun=true']) {
      const { status, json } = await request(method, path + query, { body })
      t.equal(status, 422, `${method} ${path}${query} ${JSON.stringify(body)?.slice(0, 60)}`)
      const found = json.errors?.map(({ pointer, parameter }: Record<string, string>) => pointer ?? parameter)
      t.strictSame([...new Set(found)], places)
    }
  }
  t.equal(writes(), before, 'nothing was sent')
  t.equal((await request('PUT', `${location}/capacity`, { body: { target: 3, maximum: 4 } })).status, 200)
  t.equal((await request('POST', `${location}/scale/up?adjustment=1`)).status, 200)
  t.equal((await request('DELETE', location)).status, 204)
})

t.test('tags of guardrails are added to creates, unless the body has that tag', async (t) => {
  const { request, sandbox } = await startGuarded(
    t, { tags: { owner: 'platform', team: 'none' } }, { tags: { owner: 'x' } })
  await request('POST', groups, { body: group })
  const { group: sent } = sandbox.transcript.at(-1)?.body as { group: typeof group }
  t.strictSame(sent.compute.launchSpecification.tags, [
    { tagKey: 'team', tagValue: 'web' }, { tagKey: 'owner', tagValue: 'platform' }
  ])
})

/** A body without the marker of its key, which is drawn when the key is claimed: a dry run claims none. */
const unmarked = (body: unknown) => body == null
  ? undefined
  : JSON.parse(JSON.stringify(body, (name, value) => name === 'tags'
    ? value.filter(({ tagKey }: { tagKey: string }) => tagKey !== 'spot-api:idempotency-key')
    : value))

t.test('a dry run shows exactly the request that would be sent, and sends nothing', async (t) => {
  const { request, sandbox, writes } = await startGuarded(t, { tags: { owner: 'platform' } })
  const { location } = (await request('POST', groups, { body: group })).headers
  const keyed = { 'idempotency-key': 'once' }
  const table: [string, string, unknown?, Record<string, string>?][] = [
    ['POST', groups, group, keyed],
    ['PUT', `${location}?autoApplyTags=true`, { name: 'renamed', description: null }],
    ['PUT', `${location}/capacity`, { target: 3 }],
    ['POST', `${location}/scale/up?adjustment=2`],
    ['POST', `${location}/scale/down`],
    ['POST', `${location}/suspensions`, { suspensions: [{ name: 'AUTO_SCALE' }] }],
    ['DELETE', `${location}/suspensions?process=AUTO_SCALE`],
    ['POST', `${location}/rolls`, { batchSizePercentage: 50, gracePeriod: 60 }],
    ['DELETE', `${location}?shouldDeleteVolumes=false`]
  ]
  for (const [method, path, body, headers = {}] of table) {
    const before = writes()
    const dry = await request(method, `${path}${path.includes('?') ? '&' : '?'}dryRun=true`, { body, headers })
    t.match(dry, { status: 412, json: { type: problemType('dry-run'), hint: /dryRun/ } }, `${method} ${path}`)
    t.equal(writes(), before, 'nothing was sent')
    const sends = dry.json.preview.request
    const wet = await request(method, `${path}${path.includes('?') ? '&' : '?'}dryRun=false`, { body, headers })
    t.ok(wet.status < 500, `${wet.status} ${wet.text.slice(0, 200)}`)
    const sent = sandbox.transcript.filter(({ method }) => method !== 'GET').at(-1)
    t.equal(sends.method, sent?.method)
    const { origin, pathname, searchParams } = new URL(sends.url)
    t.strictSame([origin, pathname], [sandbox.url, sent?.path])
    t.strictSame(Object.fromEntries(searchParams), { ...sent?.query })
    t.strictSame(sends.body ?? undefined, unmarked(sent?.body), 'the very same body')
  }
  const paused = await request('POST', '/v1/spot/demo/instances/smi-1/pause?dryRun=true')
  t.match(paused, { status: 412, json: { preview: { request: { method: 'PUT', body: null } } } })

  const writing = operationsOf(document).filter(({ method, operation }) =>
    method !== 'get' && operation.security?.length !== 0)
  for (const { operation, parameters } of writing) {
    if (!parameters.some(({ name }) => name === 'dryRun')) t.fail(`${operation.operationId} has no dry run`)
  }
  t.equal((await request('PUT', location as string, { body: { capacity: 5 }, headers: {} })).status, 400)
})

t.test('a dry run of an update names each value that would change, before and after', async (t) => {
  const { request, writes } = await startGuarded(t)
  const secret = { userData: btoa('#!/bin/sh one') }
  const compute = { ...group.compute, launchSpecification: { ...group.compute.launchSpecification, ...secret } }
  const location = (await request('POST', groups, { body: { ...group, compute } })).headers.location as string
  const instance = (await request('POST', '/v1/spot/demo/instances', { body: validInstance })).headers.location
  const { json: asRead } = await request('GET', location)
  const table: [string, string, unknown, object[]][] = [
    ['what was read', location, asRead, []],
    ['the same', location, { id: 'sig-other', name: 'web', capacity: { target: 2 }, compute: group.compute }, []],
    ['a value, null and a new one', location, { name: null, capacity: { target: 3 }, description: 'x/~y' }, [
      { pointer: '#/name', before: 'web', after: null },
      { pointer: '#/capacity/target', before: 2, after: 3 },
      { pointer: '#/description', after: 'x/~y' }
    ]],
    ['an array as a whole', location, { compute: { instanceTypes: { spot: ['t3.micro', 't3.nano'] } } }, [
      { pointer: '#/compute/instanceTypes/spot', before: ['t3.micro'], after: ['t3.micro', 't3.nano'] }
    ]],
    ['a secret', location, { compute: { launchSpecification: { userData: btoa('#!/bin/sh two') } } }, [
      { pointer: '#/compute/launchSpecification/userData', before: MASK_BASE64, after: MASK_BASE64 }
    ]],
    ['the same secret', location, { compute: { launchSpecification: secret } }, []],
    ['capacity', `${location}/capacity`, { minimum: 0, target: 1 }, [{ pointer: '#/target', before: 2, after: 1 }]],
    ['a managed instance', String(instance), { name: 'db-2' }, [{ pointer: '#/name', before: 'db', after: 'db-2' }]]
  ]
  const before = writes()
  for (const [name, path, body, changes] of table) {
    const { status, json } = await request('PUT', `${path}?dryRun=true`, { body })
    t.strictSame([status, json.preview.changes], [412, changes], name)
    t.match(json.detail, `${changes.length} value`, name)
  }
  t.match(await request('PUT', `${groups}/sig-none?dryRun=true`, { body: { name: 'x' } }), { status: 404 },
    'what is not there is not tried')
  t.equal(writes(), before, 'nothing was sent')
  const deletion = await request('DELETE', `${location}?dryRun=true`)
  t.strictSame(Object.keys(deletion.json.preview), ['request'], 'nothing is said to change where nobody compared')

  const sandboxRead = (await request('GET', location)).json
  t.equal((await request('PUT', location, { body: { name: null, capacity: { target: 3 } } })).status, 200)
  const after = (await request('GET', location)).json
  t.strictSame([sandboxRead.name, after.name, after.capacity.target], ['web', null, 3], 'and so it comes about')
})

t.test('every write has a dry run, which is never a success, and reads refuse dryRun', async (t) => {
  const { request, writes, audit } = await startGuarded(t)
  for (const { path, method, operation } of operationsOf(document)) {
    const { query, body } = validCall(operation)
    const filled = path.replace('{account}', 'demo').replace(/\{\w+\}/g, 'x-1')
    const { status } = await request(method.toUpperCase(), `${filled}?dryRun=true${query.replace('?', '&')}`, { body })
    // The resource is not there: an update is compared with it, an instance is looked for in it, and both say so.
    const isRead = method === 'put' || path.includes('{ec2Instance}')
    const expected = method === 'get' ? [400] : isRead ? [404, 412] : [412]
    t.ok(expected.includes(status), `${operation.operationId} ${status}`)
    const successes = Object.keys(operation.responses).filter((status) => status.startsWith('2'))
    t.equal(successes.length, 1, `${operation.operationId} has one success`)
  }
  t.equal(writes(), 0, 'nothing was sent')
  const audited = Object.values(operations).filter(({ audited }) => audited).map(({ operationId }) => operationId)
  t.strictSame(audit().map(({ audit }) => audit), audited, 'each write has a line in the audit')
})

t.test('each write that a client tries has a line in the audit', async (t) => {
  const { request, audit, sandbox } = await startGuarded(t, { maxCapacity: 4 })
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const headers = { 'x-request-id': 'abc', 'idempotency-key': 'once', traceparent }
  const made = await request('POST', groups, { body: group, headers })
  const location = made.headers.location as string
  await request('POST', groups, { body: group, headers })
  await request('PUT', location, { body: { capacity: { maximum: 99 }, description: null } })
  await request('PUT', location, { body: { name: 'dry' }, headers: {} }).then(() => undefined)
  await request('PUT', `${location}?dryRun=true`, { body: { name: 'dry' } })
  await request('PUT', location, { body: { nme: 5, name: [] } })
  await request('DELETE', `${groups}/sig-none?shouldDeleteVolumes=false`)
  await request('DELETE', location, { token: null })
  await request('GET', location)
  sandbox.faults.inject({ method: 'DELETE', kind: 'hang', times: 9 })
  const lines = audit()
  t.strictSame(lines.map(({ audit, outcome, status }) => `${audit} ${outcome} ${status}`), [
    'createElastigroup done 201',
    'createElastigroup replayed 201',
    'updateElastigroup guardrail-breached 422',
    'updateElastigroup done 200',
    'updateElastigroup dry-run 412',
    'updateElastigroup invalid-request 400',
    'deleteElastigroup resource-not-found 404'
  ])
  const [first, replayed, refused,,,, gone] = lines
  t.match(first, {
    client: 'default',
    account: 'demo',
    address: '127.0.0.1',
    location,
    requestId: 'abc',
    traceId: '0af7651916cd43dd8448eb211c80319c',
    calls: 1,
    spotRequestId: /.+/,
    idempotencyKey: /^[\da-f]{64}$/,
    time: /^\d{4}-.*Z$/
  })
  t.equal(replayed.idempotencyKey, first.idempotencyKey)
  t.notOk(JSON.stringify(lines).includes('"once"'), 'the key itself is not logged')
  t.ok(first.changes.some(({ pointer, value }: { pointer: string, value: unknown }) =>
    pointer === '#/capacity/target' && value === 2))
  t.strictSame(refused.changes, [
    { pointer: '#/description', value: null }, { pointer: '#/capacity/maximum', value: 99 }
  ])
  t.match(gone, { resource: { elastigroup: 'sig-none' }, options: { shouldDeleteVolumes: false } })

  const sent = sandbox.transcript.find(({ method }) => method === 'POST')
  const parent = String((sent?.headers as Record<string, unknown> | undefined)?.traceparent)
  t.match(parent, /^00-0af7651916cd43dd8448eb211c80319c-(?!b7ad6b7169203331)[\da-f]{16}-01$/, 'the trace goes on to Spot')
})
