import { METHODS } from 'node:http'
import { connect } from 'node:net'
import { text as textOf } from 'node:stream/consumers'
import { register } from 'prom-client'
import t, { type Test } from 'tap'
import { document } from '../openapi/document.js'
import { version } from '../services/release.js'
import { outcomes } from '../services/spotinst/outcomes.js'
import { KEY, start, startGateway, TOKEN, type Gateway } from './helper.js'

const GROUPS = '/v1/spot/demo/elastigroups'
const HTTP = 'http_request_duration_seconds'
const UPSTREAM = 'spot_api_upstream_request_duration_seconds'

interface Sample { name: string, labels: Record<string, string>, value: number }

const labelForm = /([a-zA-Z_]\w*)="((?:[^"\\\n]|\\["\\n])*)"/g
const sampleForm = new RegExp(`^([a-zA-Z_:][\\w:]*)(?:\\{(${labelForm.source}(?:,${labelForm.source})*)\\})? (\\S+)$`)
// As Go reads numbers, which minds no case.
const numberForm = /^(?:[-+]?(?:\d+(?:\.\d+)?(?:e[-+]?\d+)?|Inf)|NaN)$/i
const numberOf = (text = '') => Number(text.replace('Inf', 'Infinity'))

/**
 * The samples of a text in the Prometheus format, held to its rules: a family is described once, before its samples;
 * no series twice; buckets only grow.
 * https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
 */
function parse (t: Test, text: string): Sample[] {
  const types = new Map<string, string>()
  const series = new Set<string>()
  const samples: Sample[] = []
  if (!text.endsWith('\n')) t.fail('the last line has no end')
  for (const line of text.split('\n').filter(Boolean)) {
    const [, comment, family = '', word = ''] = /^# (HELP|TYPE) ([a-zA-Z_:][\w:]*) (.+)$/.exec(line) ?? []
    if (comment === 'TYPE') {
      if (types.has(family) || !/^(?:counter|gauge|histogram)$/.test(word)) t.fail(line)
      types.set(family, word)
    }
    if (comment) continue
    const found = sampleForm.exec(line)
    const [name = '', text = '', value = ''] = [found?.[1], found?.[2], found?.at(-1)]
    const described = types.has(name) || types.get(name.replace(/_(?:bucket|sum|count)$/, '')) === 'histogram'
    if (!found || !described || !numberForm.test(value) || series.has(name + text)) t.fail(line)
    series.add(name + text)
    const labels = Object.fromEntries([...text.matchAll(labelForm)].map(([, label, word]) => [label, word]))
    const sample = { name, labels, value: numberOf(value) }
    const before = samples.at(-1)
    const nextBucket = before?.name === name && numberOf(before.labels.le) < numberOf(labels.le)
    if (nextBucket && before.value > sample.value) t.fail(line)
    samples.push(sample)
  }
  return samples
}

/** What a gateway has measured, as anybody can read it. */
async function measured (t: Test, { request }: Gateway) {
  const { headers, text } = await request('GET', '/v1/spot/metrics', { token: null })
  t.equal(headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8')
  const samples = parse(t, text)
  const own = samples.filter(({ name }) => /^(?:http|spot_api)_/.test(name))
  return {
    text,
    samples,
    /** Sum of the series that have these labels; undefined when there is none. */
    value (name: string, wanted: Record<string, string> = {}) {
      const found = own.filter((sample) => sample.name === name &&
        Object.entries(wanted).every(([label, word]) => sample.labels[label] === word))
      return found.length === 0 ? undefined : found.reduce((sum, { value }) => sum + value, 0)
    },
    /** Our series; those of Node come and go. */
    series: own.map(({ name, labels }) => `${name} ${JSON.stringify(labels)}`).sort(),
    /** Different values of a label. */
    words: (label: string, family = '') =>
      [...new Set(own.flatMap(({ name, labels }) => name.startsWith(family) ? labels[label] ?? [] : []))].sort()
  }
}

t.test('requests are measured by route template, method and status', async (t) => {
  const gateway = await start(t)
  const { request } = gateway
  const [{ id }] = (await request('GET', GROUPS)).json
  const groups = '/v1/spot/:account/elastigroups'
  const rows: [string, string, number, string, object?][] = [
    ['GET', GROUPS, 401, groups, { token: null }],
    ['POST', GROUPS, 400, groups, { body: {} }],
    ['GET', `${GROUPS}/${id}`, 200, `${groups}/:elastigroup`],
    ['GET', `${GROUPS}/sig-none`, 404, `${groups}/:elastigroup`],
    ['PUT', `${GROUPS}/${id}`, 200, `${groups}/:elastigroup`, { body: {} }],
    ['DELETE', `${GROUPS}/${id}`, 204, `${groups}/:elastigroup`],
    ['PATCH', `${GROUPS}/${id}`, 405, `${groups}/:elastigroup`],
    ['GET', '/v1/spot/ping', 200, '/v1/spot/ping']
  ]
  for (const [method, path,,, options] of rows) await request(method, path, options)
  const { value, words } = await measured(t, gateway)
  for (const [method,, status, route] of rows) {
    const labels = { method, route, status_code: String(status) }
    t.equal(value(`${HTTP}_count`, labels), 1, `${method} ${route} ${status}`)
    t.equal(value(`${HTTP}_bucket`, { ...labels, le: '+Inf' }), 1)
    const seconds = value(`${HTTP}_sum`, labels) ?? 0
    t.ok(seconds > 0 && seconds < 5, 'in seconds')
  }
  t.notOk(words('route').some((route) => route.includes(id)), 'no id stands in a label')
})

t.test('calls to Spot are measured by account, operation and outcome', async (t) => {
  const ours = { id: 'act-5a9db0c5', token: 'vendor-token-for-tests' }
  const theirs = { id: 'act-00000002', token: 'another-vendor-token' }
  const { sandbox } = await start(t, { sandbox: { accounts: [ours, theirs] } })
  const endpoint = sandbox.url
  const gateway = await startGateway(t, {
    configuration: {
      accounts: {
        ours: { ...ours, endpoint },
        theirs: { ...theirs, endpoint },
        lost: { ...theirs, token: 'no-longer-valid', endpoint },
        nowhere: { ...theirs, endpoint: 'http://127.0.0.1:1' }
      }
    }
  })
  sandbox.faults.inject({ method: 'POST', kind: 'reset' })
  const rows: [string, string, string, string, string, attempts: number][] = [
    ['GET', 'ours', 'elastigroups', 'listElastigroups', 'success', 1],
    ['GET', 'theirs', 'elastigroups', 'listElastigroups', 'success', 1],
    ['GET', 'theirs', 'elastigroups/sig-none', 'getElastigroup', 'not-found', 1],
    ['POST', 'ours', 'elastigroups', 'createElastigroup', 'interrupted', 1],
    ['GET', 'lost', 'elastigroups', 'listElastigroups', 'unauthorized', 1],
    ['GET', 'nowhere', 'elastigroups', 'listElastigroups', 'unsent', 3]
  ]
  const { examples } = document.components as unknown as { examples: Record<string, { value: object }> }
  for (const [method, account, path] of rows) {
    const options = method === 'POST' ? { body: examples.ElastigroupCreate?.value } : {}
    await gateway.request(method, `/v1/spot/${account}/${path}`, options)
  }
  await gateway.request('GET', '/v1/spot/ours/elastigroups', { token: null })
  await gateway.request('GET', '/v1/spot/ours/elastigroups/-')
  const { value, text, words } = await measured(t, gateway)
  t.strictSame(words('route', 'spot_api_'), words('operation'), 'a route of Spot is one of its operations')
  t.strictSame(words('organization'), ['lost', 'nowhere', 'ours', 'theirs'], 'by token and endpoint')
  for (const [, account,, operation, outcome, attempts] of rows) {
    const labels = { account, operation, outcome }
    t.equal(value(`${UPSTREAM}_count`, labels), attempts, `${account} ${operation} ${outcome}`)
  }
  const all = rows.reduce((sum, [,,,,, attempts]) => sum + attempts, 0)
  t.equal(value(`${UPSTREAM}_count`), all, 'what is refused here makes no call')
  for (const secret of [KEY, TOKEN, ours.token, theirs.token, 'no-longer-valid']) t.notOk(text.includes(secret))
})

t.test('token checks, the version and the process are measured', async (t) => {
  const gateway = await startGateway(t, {})
  for (const token of [TOKEN, TOKEN, null, KEY]) await gateway.request('GET', '/v1/spot/no/instances', { token })
  const { value, samples, words } = await measured(t, gateway)
  const results = {
    valid: 2, missing: 1, 'key-itself': 1, expanded: 0, costly: 0, malformed: 0, wrong: 0, limited: 0, overloaded: 0
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

t.test('nothing a stranger sends makes a new series', async (t) => {
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
  await assault(7, 207)
  t.strictSame((await measured(t, gateway)).series, series)

  const templates = Object.keys(document.paths).map((path) => path.replace(/\{(\w+)\}/g, ':$1'))
  const others = words('route', HTTP)
    .filter((route) => !templates.includes(route) && !route.startsWith('/v1/spot/docs'))
  t.strictSame(others, ['__unknown__'], 'a file of the docs that is not there')
  t.strictSame(words('account').filter((account) => account !== 'demo'), [])
  t.strictSame(words('outcome').filter((outcome) => outcome !== 'success' && !(outcome in outcomes)), [])
  t.strictSame(words('method').filter((method) => !gateway.app.supportedMethods.includes(method as 'GET')), [])
})

t.test('two gateways in one process measure apart', async (t) => {
  const [one, two] = [await start(t), await start(t)]
  for (const path of [GROUPS, '/v1/spot/ping', '/v1/spot/ping']) await one.request('GET', path)
  const before = await measured(t, two)
  t.equal(before.value(`${HTTP}_count`), undefined)
  t.equal(before.value('spot_api_auth_total'), 0)
  t.strictSame(before.words('operation'), [])

  await two.request('GET', GROUPS)
  await two.app.close()
  const { value } = await measured(t, one)
  t.equal(value(`${HTTP}_count`, { route: '/v1/spot/ping' }), 2)
  t.equal(value('spot_api_auth_total'), 1)
  t.equal(value(`${UPSTREAM}_count`), 1)
  t.strictSame(register.getMetricsAsArray(), [], 'and not in what the whole process shares')
})
