import t, { type Test } from 'tap'
import { document, operationsOf } from '../openapi/document.js'
import { operations } from '../openapi/operations.js'
import { problemType } from '../services/problems/index.js'
import { start, startGateway, type GatewayOptions } from './helper.js'
import { until } from './until.js'
import { validCall, validGroup as group, validInstance } from './valid-calls.js'

/* A write that names the state it is meant for, so that nobody's change is lost. */

const groups = '/v1/spot/demo/elastigroups'

async function startWriter (t: Test, options: GatewayOptions = {}) {
  const gateway = await start(t, { sandbox: { rateLimit: Infinity }, ...options })
  const { request, sandbox } = gateway
  return {
    ...gateway,
    create: async (path = groups, body: object = group) =>
      (await request('POST', path, { body })).headers.location as string,
    etagOf: async (path: string) => (await request('GET', path)).headers.etag as string,
    writes: () => sandbox.transcript.filter(({ method }) => method !== 'GET').length
  }
}

const failed = { type: problemType('precondition-failed'), hint: /GET/ }
const refused = { type: problemType('invalid-request'), hint: /./ }
const withTag = (tag: string) => ({ headers: { 'if-match': tag } })

t.test('PUT and DELETE of one resource compare If-Match with the ETag of its GET', async (t) => {
  const { request, create, etagOf, writes } = await startWriter(t)
  const compared = operationsOf(document).filter(({ operation }) => operations[operation.operationId].ifMatch)
  t.strictSame(compared.map(({ operation: { operationId } }) => operationId), [
    'updateElastigroup', 'deleteElastigroup', 'updateElastigroupCapacity', 'deleteSuspensions', 'updateInstance',
    'deleteInstance'
  ])
  const bodies: Record<string, object> = { updateElastigroupCapacity: { target: 1 } }
  for (const { path: template, method, operation } of compared) {
    const name = operation.operationId
    const made = template.includes('{instance}')
      ? await create('/v1/spot/demo/instances', validInstance)
      : await create()
    const path = made + template.replace(/^.*?\{(elastigroup|instance)\}/, '')
    const { query } = validCall(operation)
    const body = method === 'put' ? bodies[name] ?? { name: 'changed' } : undefined
    const send = (tag: string, more = '') =>
      request(method.toUpperCase(), path + (query || '?') + more, { body, ...withTag(tag) })

    if (name === 'deleteSuspensions') await request('POST', path, { body: { processes: ['AUTO_SCALE'] } })
    const etag = await etagOf(path)
    const before = writes()
    for (const tag of ['"another"', '"a", W/"b"', etag.slice(1, -1), '""', `${etag.slice(0, -1)}-other"`]) {
      for (const dryRun of ['', '&dryRun=true']) {
        const reply = await send(tag, dryRun)
        t.match(reply, { status: 412, headers: { etag }, json: failed }, `${name} ${tag} ${dryRun}`)
        t.ok(reply.json.detail.includes(etag), 'which is named')
      }
    }
    const same = [etag, `W/${etag}`, `${etag.slice(0, -1)}-gzip"`, `W/${etag.slice(0, -1)}-br"`, `"x" ,${etag}`, '*']
    for (const tag of same) t.match((await send(tag, '&dryRun=true')).json, { type: problemType('dry-run') }, tag)
    t.equal(writes(), before, 'nothing was sent')
    t.ok((await send(etag)).status < 300, name)
    t.equal(writes(), before + 1, 'but once it is right')
  }
})

t.test('the change of another caller is not lost, whatever is in memory', async (t) => {
  const configuration = { reads: { freshFor: 60_000, staleFor: 60_000 } }
  const { request, create, etagOf, sandbox } = await startWriter(t, { configuration })
  const other = await startGateway(t, { endpoint: sandbox.url })
  const path = await create()
  const etag = await etagOf(path)
  await other.request('PUT', path, { body: { description: 'theirs' } })
  t.equal(await etagOf(path), etag, 'this server knows nothing of it')
  const lost = await request('PUT', path, { body: { description: 'ours' }, ...withTag(etag) })
  t.match(lost, { status: 412, json: failed })
  const current = lost.headers.etag as string
  t.not(current, etag)
  t.equal((await other.request('GET', path)).headers.etag, current, 'the ETag that a GET has now')
  t.equal((await request('PUT', path, { body: { description: 'ours' }, ...withTag(current) })).status, 200)
  t.match(await request('DELETE', `${groups}/sig-none`, withTag('*')), { status: 404 }, '* wants it to exist')

  sandbox.faults.inject({ method: 'GET', status: 500, times: Infinity })
  const unknown = await request('PUT', path, { body: { description: 'blind' }, ...withTag('*') })
  t.equal(unknown.status, 502, 'what cannot be compared is not written')
})

t.test('a precondition that is not checked is refused', async (t) => {
  const { request, sandbox } = await startWriter(t)
  const date = 'Sat, 29 Oct 1994 19:43:31 GMT'
  for (const { path, method, operation } of operationsOf(document)) {
    const { operationId, ifMatch, kind } = operations[operation.operationId]
    const { query, body } = validCall(operation)
    const url = path.replace('{account}', 'demo').replace(/\{\w+\}/g, 'x-1') + query
    for (const [header, value, isChecked] of [
      ['If-Match', '"x"', ifMatch !== null],
      ['If-Unmodified-Since', date, false],
      ['If-None-Match', '*', kind !== 'write']
    ] as const) {
      if (isChecked) continue
      const headers = { [header]: value, 'idempotency-key': 'one' }
      const reply = await request(method.toUpperCase(), url, { body, headers })
      t.match(reply, { status: 400, json: refused }, `${operationId} ${header}`)
      t.match(reply.json.errors, [{ parameter: header }])
    }
  }
  t.strictSame(sandbox.transcript, [], 'nothing was sent')
  const headers = { 'if-unmodified-since': date }
  const stranger = await request('PUT', `${groups}/x-1`, { body: {}, token: null, headers })
  t.equal(stranger.status, 401)
})

t.test('a key has its reply, and an update may have a key', async (t) => {
  const { request, etagOf } = await startWriter(t)
  const headers = { 'idempotency-key': 'one' }
  // The state opens with its first use, which a busy machine may not do in time.
  await until(async () => (await request('POST', groups, { body: group, headers })).status === 201)
  const again = await request('POST', groups, { body: group, headers })
  t.match(again, { status: 201, headers: { 'idempotency-replayed': 'true' } })
  const path = again.headers.location as string
  const both = { body: { name: 'new' }, headers: { ...headers, 'if-match': await etagOf(path) } }
  t.equal((await request('PUT', path, both)).status, 200)
  t.equal((await request('PUT', path, both)).status, 412, 'once')
})
