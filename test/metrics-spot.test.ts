import { METHODS } from 'node:http'
import { hashSync } from '@node-rs/bcrypt'
import t from 'tap'
import { document, operationsOf } from '../openapi/document.js'
import { outcomes, type Outcome } from '../services/spot/wire/outcomes.js'
import { KEY, start, startGateway, TOKEN } from './helper.js'
import { CALLS, measured, REST, UPSTREAM } from './measured.js'
import { validCall } from './valid-calls.js'

const ACCOUNTS = 'spot_api_upstream_account_requests_total'

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
    const options = method === 'POST' ? { body: examples.ElastigroupCreateExample?.value } : {}
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

t.test('refusals, reloads, lost audit lines and requests under way have metrics from the start', async (t) => {
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

t.test('there are at most 500 series of metrics, whatever happens', async (t) => {
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
