import { METHODS } from 'node:http'
import { connect } from 'node:net'
import { text as textOf } from 'node:stream/consumers'
import { register } from 'prom-client'
import t from 'tap'
import { document } from '../openapi/document.js'
import { problems } from '../services/problems/index.js'
import { version } from '../services/process/release.js'
import { outcomes } from '../services/spot/wire/outcomes.js'
import { KEY, start, startGateway, TOKEN } from './helper.js'
import { CALLS, measured, REST, UPSTREAM } from './measured.js'

const GROUPS = '/v1/spot/demo/elastigroups'
const REQUESTS = 'http_requests_total'
const ERRORS = 'http_error_responses_total'
const HTTP = 'http_request_duration_seconds'

t.test('requests are measured by operation, class of status, and status', async (t) => {
  const gateway = await start(t)
  const { request } = gateway
  const [{ id }] = (await request('GET', GROUPS)).json
  const before = await measured(t, gateway)
  const groups = '/v1/spot/:account/elastigroups'
  const one = `${groups}/:elastigroup`
  const rows: [string, string, number, kind: string, route: string, object?][] = [
    ['GET', GROUPS, 401, 'read', groups, { token: null }],
    ['POST', GROUPS, 400, 'write', groups, { body: {} }],
    ['GET', `${GROUPS}/${id}`, 200, 'read', one],
    ['GET', `${GROUPS}/sig-none`, 404, 'read', one],
    ['PUT', `${GROUPS}/${id}`, 200, 'write', one, { body: {} }],
    ['DELETE', `${GROUPS}/${id}`, 204, 'write', one],
    ['PATCH', `${GROUPS}/${id}`, 405, 'public', REST],
    ['GET', '/v1/spot/ping', 200, 'public', '/v1/spot/ping']
  ]
  const errors: Record<string, number> = {}
  for (const [method, path, status, kind, route, options] of rows) {
    const labels = { method: route === REST ? REST : method, route }
    const classes = { ...labels, status_class: `${String(status)[0]}xx` }
    const then = await measured(t, gateway)
    const began = performance.now()
    await request(method, path, options)
    const took = (performance.now() - began) / 1000
    const now = await measured(t, gateway)
    const more = (name: string, labels: Record<string, string>) =>
      (now.value(name, labels) ?? NaN) - (then.value(name, labels) ?? 0)
    t.equal(more(REQUESTS, classes), 1, `${method} ${route} ${status}`)
    const other = kind === 'public' ? 1 : 0 // reading the metrics is a public request too
    t.equal(more(REQUESTS, {}), 2, 'and in no other series')
    t.equal(more(`${HTTP}_count`, { kind }), 1 + other)
    t.equal(more(`${HTTP}_bucket`, { kind, le: '+Inf' }), 1 + other)
    const seconds = more('http_request_seconds_total', labels)
    t.ok(seconds > 0 && seconds <= took, 'in seconds: no more than the caller waited')
    const inAll = more(`${HTTP}_sum`, { kind })
    t.ok(inAll >= seconds - 1e-9, 'the same ones')
    if (other === 0) t.ok(inAll <= took)
    if (status >= 400) errors[status] = 1
  }
  const { value, words } = await measured(t, gateway)
  for (const status of words('status_code')) {
    t.equal(value(ERRORS, { status_code: status }), errors[status] ?? 0, `errors with ${status}`)
  }
  const statuses = new Set(Object.values(problems).map(({ status }) => String(status)))
  t.strictSame(words('status_code'), [...statuses, REST].sort(), 'each is there from the start')
  t.strictSame(words('method', REQUESTS), ['DELETE', 'GET', 'POST', 'PUT', REST])
  t.notOk(words('route').some((route) => route.includes(id)), 'no id stands in a label')
  t.strictSame(before.words('route', REQUESTS), words('route', REQUESTS), 'each operation is there from the start')
})

t.test('token checks, the version and the process are measured', async (t) => {
  const gateway = await startGateway(t, {})
  for (const token of [TOKEN, TOKEN, null, KEY]) await gateway.request('GET', '/v1/spot/no/instances', { token })
  const { value, samples, words } = await measured(t, gateway)
  const results = {
    valid: 2,
    expired: 0,
    missing: 1,
    'key-itself': 1,
    ...Object.fromEntries(['expanded', 'costly', 'malformed', 'wrong', 'limited', 'overloaded'].map((one) => [one, 0]))
  }
  for (const [result, count] of Object.entries(results)) {
    t.equal(value('spot_api_auth_total', { result }), count, result)
  }
  t.strictSame(words('result', 'spot_api_auth'), Object.keys(results).sort(), 'each is there from the start')
  t.equal(value('spot_api_build_info', { version }), 1)
  const names = new Set(samples.map(({ name }) => name))
  for (const name of ['process_cpu_seconds_total', 'nodejs_eventloop_lag_p99_seconds', 'nodejs_heap_size_used_bytes']) {
    t.ok(names.has(name), name)
  }
})

t.test('nothing that a caller sends makes a new series', async (t) => {
  const gateway = await start(t)
  const { request, url } = gateway
  const odd = (i: number) => ['__proto__', 'constructor', `n${i}`, `%22%7D${i}`, `%0A${i}`, '{account}', `-${i}`][i % 7]
  const assault = async (from: number, to: number) => {
    for (let i = from; i < to; i++) {
      await request('GET', `/v1/${i}/${'x'.repeat(i)}`)
      await request('GET', `/v1/spot/docs/static/${i}`)
      await request('GET', `/v1/spot/${odd(i)}/elastigroups`)
      await request('GET', `${GROUPS}/sig-${i}?q${i}=1`, { headers: { 'x-request-id': `id-${i}` } })
    }
    for (const method of METHODS.filter((method) => method !== 'CONNECT')) {
      await request(method, `/v1/${from}`, { headers: { 'content-type': 'application/json' } })
      await request(method, `/v1/spot/${odd(from)}/elastigroups`)
    }
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    socket.end(`M${from} /v1/spot/ping HTTP/1.1\r\nHost: spot\r\n\r\n`)
    t.match(await textOf(socket), /^HTTP\/1\.1 400 /)
  }
  await assault(0, 7)
  await measured(t, gateway)
  const { series, words } = await measured(t, gateway)
  t.ok(series.length > 0)
  await assault(7, 77)
  t.strictSame((await measured(t, gateway)).series, series)

  const templates = Object.keys(document.paths).map((path) => path.replace(/\{(\w+)\}/g, ':$1'))
  t.strictSame(words('route', REQUESTS), [...templates, REST].sort(), 'what is no operation is one series')
  t.strictSame(words('account').filter((account) => account !== 'demo'), [])
  t.strictSame(words('outcome').filter((outcome) => outcome !== 'success' && !(outcome in outcomes)), [])
  const methods = [...gateway.app.supportedMethods as string[], REST]
  t.strictSame(words('method').filter((method) => !methods.includes(method)), [])
})

t.test('two gateways in one process have metrics of their own', async (t) => {
  const [one, two] = [await start(t), await start(t)]
  for (const path of [GROUPS, '/v1/spot/ping', '/v1/spot/ping']) await one.request('GET', path)
  const before = await measured(t, two)
  t.equal(before.value(`${HTTP}_count`), 0)
  t.equal(before.value(REQUESTS), 0)
  t.equal(before.value('spot_api_auth_total'), 0)
  t.equal(before.value(CALLS), 0)

  await two.request('GET', GROUPS)
  await two.app.close()
  const { value } = await measured(t, one)
  t.equal(value(REQUESTS, { route: '/v1/spot/ping' }), 2)
  t.equal(value(`${HTTP}_count`), 3)
  t.equal(value('spot_api_auth_total'), 1)
  t.equal(value(`${UPSTREAM}_count`), 1)
  t.strictSame(register.getMetricsAsArray(), [], 'and not in what the whole process shares')
})
