import { METHODS } from 'node:http'
import { connect } from 'node:net'
import { text as textOf } from 'node:stream/consumers'
import { hashSync } from '@node-rs/bcrypt'
import { register } from 'prom-client'
import t, { type Test } from 'tap'
import { document, operationsOf } from '../openapi/document.js'
import { problems } from '../services/problems/index.js'
import { version } from '../services/process/release.js'
import { outcomes, type Outcome } from '../services/spot/wire/outcomes.js'
import { KEY, start, startGateway, TOKEN, type Gateway } from './helper.js'
import { validCall } from './valid-calls.js'

const GROUPS = '/v1/spot/demo/elastigroups'
const REQUESTS = 'http_requests_total'
const ERRORS = 'http_error_responses_total'
const HTTP = 'http_request_duration_seconds'
const UPSTREAM = 'spot_api_upstream_request_duration_seconds'
const CALLS = 'spot_api_upstream_requests_total'
const ACCOUNTS = 'spot_api_upstream_account_requests_total'
const REST = '__other__'

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

t.test('calls to Spot are measured by account, kind and outcome', async (t) => {
  const ours = { id: 'act-5a9db0c5', token: 'vendor-token-for-tests' }
  const theirs = { id: 'act-00000002', token: 'another-vendor-token' }
  const { sandbox } = await start(t, { sandbox: { accounts: [ours, theirs] } })
  const endpoint = sandbox.url
  const gateway = await startGateway(t, {
    configuration: {
      logLevel: 'debug',
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
  const { value, text, words } = await measured(t, gateway)
  const answered = ['getElastigroup', 'listElastigroups']
  t.strictSame(words('route', 'spot_api_upstream_budget'), answered, 'a route of Spot is one of its operations')
  t.strictSame(words('organization'), [REST, 'lost', 'ours', 'theirs'], 'by token and endpoint, where Spot answered')
  const logged = gateway.log.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'call to Spot ended')
  const calls: Record<string, number> = {}
  for (const [method, account,, operation, outcome, attempts] of rows) {
    t.equal(value(ACCOUNTS, { account, outcome }), attempts, `${account} ${outcome}`)
    t.equal(logged.filter((line) => line.account === account && line.operation === operation).length, attempts,
      'the log of level debug has the operation')
    const labels = `${method === 'GET' ? 'reads' : 'writes'} ${outcome}`
    calls[labels] = (calls[labels] ?? 0) + attempts
  }
  for (const kind of words('calls', CALLS)) {
    for (const outcome of words('outcome', CALLS)) {
      t.equal(value(CALLS, { calls: kind, outcome }), calls[`${kind} ${outcome}`] ?? 0, `${kind} ${outcome}`)
    }
  }
  t.strictSame(words('outcome', CALLS), ['success', ...Object.keys(outcomes)].sort(), 'each is there from the start')
  const all = rows.reduce((sum, [,,,,, attempts]) => sum + attempts, 0)
  for (const name of [CALLS, ACCOUNTS, `${UPSTREAM}_count`]) {
    t.equal(value(name), all, 'what is refused here makes no call')
  }
  t.equal(value(`${UPSTREAM}_count`, { calls: 'writes' }), 1)
  for (const secret of [KEY, TOKEN, ours.token, theirs.token, 'no-longer-valid']) t.notOk(text.includes(secret))
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

t.test('refusals, reloads, lost audit lines and requests under way are there from the start', async (t) => {
  const gateway = await startGateway(t, {})
  const { refusals, reloads, lastReload, auditFailures, watchUnderWay } = gateway.app.measurements
  const values = async () => {
    const { value, words } = await measured(t, gateway)
    return [
      ...words('reason').map((reason) => value('spot_api_refusals_total', { reason })),
      value('spot_api_configuration_reloads_total', { result: 'success' }),
      value('spot_api_configuration_reloads_total', { result: 'failure' }),
      value('spot_api_configuration_last_reload_success'),
      value('spot_api_audit_failures_total')
    ]
  }
  t.strictSame(await values(), [0, 0, 0, 0, 0, 0, 0, 1, 0], 'the start was a success')
  refusals.count('access')
  reloads.count('failure')
  lastReload.set(0)
  auditFailures(() => 1)
  t.strictSame(await values(), [1, 0, 0, 0, 0, 0, 1, 0, 1])
  watchUnderWay(() => 7)
  t.equal((await measured(t, gateway)).value('spot_api_requests_under_way'), 7)
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
  await assault(7, 77)
  t.strictSame((await measured(t, gateway)).series, series)

  const templates = Object.keys(document.paths).map((path) => path.replace(/\{(\w+)\}/g, ':$1'))
  t.strictSame(words('route', REQUESTS), [...templates, REST].sort(), 'what is no operation is one series')
  t.strictSame(words('account').filter((account) => account !== 'demo'), [])
  t.strictSame(words('outcome').filter((outcome) => outcome !== 'success' && !(outcome in outcomes)), [])
  const methods = [...gateway.app.supportedMethods as string[], REST]
  t.strictSame(words('method').filter((method) => !methods.includes(method)), [])
})

t.test('there are at most 500 series, whatever happens', async (t) => {
  const access = [1, 2, 3, 4].map((n) => ({ id: `act-${n}`, token: `vendor-token-${n}` }))
  const { sandbox } = await start(t, { sandbox: { accounts: access, rateLimit: 2 } })
  const accounts = Object.fromEntries(access.map((account, n) => [`a${n}`, { ...account, endpoint: sandbox.url }]))
  const gateway = await startGateway(t, { configuration: { accounts } })
  const { request, app } = gateway
  sandbox.faults.inject({ status: 403 })
  t.equal((await request('GET', '/v1/spot/a0/elastigroups')).status, 502)
  sandbox.faults.inject({ status: 429 })
  t.equal((await request('GET', '/v1/spot/a0/instances')).status, 429)
  for (const status of [400, 401, 403, 404, 409, 422, 429, 500, 502, 504]) {
    sandbox.faults.inject({ status, times: Infinity, probability: 0.02 })
  }
  sandbox.faults.inject({ kind: 'reset', times: Infinity, probability: 0.02 })
  sandbox.faults.inject({ kind: 'garbage', times: Infinity, probability: 0.02 })

  const tokens = [TOKEN, TOKEN, TOKEN, TOKEN, null, KEY, '$2b$10$', hashSync('another-key-for-tests', 4)]
  const any = <T>(list: T[]): T => list[Math.floor(Math.random() * list.length)] as T
  const seen = new Set<number>()
  const rounds = 2
  for (let round = 0; round < rounds; round++) {
    for (const account of [...Object.keys(accounts), `other${round}`]) {
      await Promise.all(operationsOf(document).map(async ({ path, method, operation }) => {
        const { query, body } = validCall(operation)
        const filled = path.replace('{account}', account).replace(/\{\w+\}/g, () => any(['sig-1', '%20', '-', '{}']))
        const headers: Record<string, string> = method === 'post' ? { 'idempotency-key': any(['k1', 'k2', 'k 3']) } : {}
        const options = { body: any([body, {}, '{', undefined]), headers, token: any(tokens) }
        const { status } = await request(method.toUpperCase(), filled + any([query, '?q=1', '']), options)
        seen.add(status)
      }))
    }
    for (const method of METHODS.filter((method) => method !== 'CONNECT')) {
      await request(method, `/v1/spot/${any(Object.keys(accounts))}/elastigroups`)
      await request(method, `/${Math.random()}`)
    }
  }
  t.comment(`statuses: ${[...seen].sort().join(' ')}`)
  for (const status of [200, 400, 401, 404]) t.ok(seen.has(status), `there was a ${status}`)
  // Of garbage collections, four kinds of four series each may come to be.
  const count = async () => {
    const { samples } = await measured(t, gateway)
    return samples.filter(({ name }) => !name.startsWith('nodejs_gc_')).length + 4 * 4
  }
  const driven = await count()
  t.ok(driven <= 500, `${driven} after ${rounds} rounds of everything`)

  // And what no test could bring about: every word of each label, of a hundred accounts.
  const { upstream, watchLimit, watchBreakers, registry } = app.measurements
  const hundred = [...Object.keys(accounts), ...Array.from({ length: 96 }, (_, n) => `account-${n}`)]
  const spots = operationsOf(document).map(({ operation: { operationId } }) => operationId)
  for (const account of hundred) {
    for (const kind of ['reads', 'writes'] as const) {
      for (const outcome of ['success', ...Object.keys(outcomes)] as Outcome[]) {
        upstream.observe({ account, kind, outcome }, Math.random() * 100)
      }
    }
  }
  watchBreakers(() => hundred.map((account) => [account, { reads: true, writes: true }]))
  watchLimit(() => hundred.flatMap((organization) => spots.map((route, remaining) =>
    ({ labels: { organization, route, method: 'GET' }, remaining, blockedSeconds: remaining }))))
  for (const name of ['idempotency', 'reads', 'auth', 'refusals', 'configuration_reloads']) {
    const { values = [] } = await registry.getSingleMetric(`spot_api_${name}_total`)?.get() ?? {}
    t.ok(values.length > 1 && values.length <= 12, `${name}: ${values.length} series`)
  }
  const most = await count()
  t.comment(`${most} series with all there can be`)
  t.ok(most <= 500, 'as services/metrics/series.ts reckons')
  const { value } = await measured(t, gateway)
  t.equal(value('spot_api_upstream_account_requests_total'), value(CALLS), 'what has no series of its own is counted')
  const blocked = 100 * spots.length * (spots.length - 1) / 2
  t.equal(value('spot_api_upstream_blocked_seconds_total'), blocked)
  const least = (await measured(t, gateway)).samples
    .filter(({ name }) => name === 'spot_api_upstream_budget_remaining').map(({ value }) => value)
  t.strictSame(least, Array(16).fill(0), 'the routes with the least left are the ones shown')
  t.equal(value('spot_api_upstream_held_back', { account: REST }), 2 * 92, 'how many of the others')
})

t.test('two gateways in one process measure apart', async (t) => {
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
