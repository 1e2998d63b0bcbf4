import t from 'tap'
import { startSandbox, type Fault, type FaultKind } from '../sandbox/index.js'
import type { Call } from '../services/spot/call.js'
import { systemClock } from '../services/spot/clock.js'
import { SpotError } from '../services/spot/error.js'
import { Breaker } from '../services/spot/stages/breaker.js'
import { retry } from '../services/spot/stages/retry.js'
import { stopTime } from './clock.js'
import { start, startGateway, type Reply } from './helper.js'
import { until } from './until.js'

const groups = '/v1/spot/demo/elastigroups'
const group = { name: 'x', strategy: {}, capacity: { minimum: 0, target: 0, maximum: 1 }, compute: {} }

t.test('a call whose deadline has passed before it is sent says so', async (t) => {
  const call: Call = {
    operation: 'getElastigroup',
    method: 'GET',
    path: [],
    expects: 'item',
    deadline: performance.now(),
    fresh: false,
    client: '',
    reserved: false
  }
  const error = await retry(systemClock, Math.random)(call, () => t.fail('it is sent') as never).catch((error) => error)
  t.match(error, { outcome: 'expired', problem: 'spot-timeout', calls: 0 })
})

type Spot = Awaited<ReturnType<typeof start>>['sandbox']

/** What Spot saw of a call that is made under faults: its answer, how often it was sent, how often Spot did it. */
async function under (sandbox: Spot, faults: Fault[], method: string, call: () => Promise<Reply>) {
  sandbox.faults.clear()
  for (const fault of faults) sandbox.faults.inject(fault)
  sandbox.transcript.length = 0
  const { status } = await call()
  const calls = sandbox.transcript.filter((call) => call.method === method)
  return [status, calls.length, calls.filter(({ committed }) => committed).length]
}

t.test('how often a call to Spot is sent, and what the caller gets', async (t) => {
  const twice: Fault = { kind: 'reset', times: 2 }
  const lost: Fault = { kind: 'reset' }
  const done: Fault = { kind: 'reset', commit: 'first' }
  const failed: Fault = { status: 502, commit: 'first' }
  const limited: Fault = { status: 429 }
  type Want = [status: number, sent: number, done: number]
  const rows: [name: string, Fault[], method: string, suffix: string, want: Want][] = [
    ['a read that fails twice comes through', [twice], 'GET', '/:id', [200, 3, 0]],
    ['a read that fails three times is given up', [{ ...twice, times: 3 }], 'GET', '/:id', [502, 3, 0]],
    ['a read in the rate limit is not repeated', [limited], 'GET', '/:id', [429, 1, 0]],
    ['a create is never repeated, lost or not', [lost], 'POST', '', [504, 1, 0]],
    ['nor one that Spot did', [done], 'POST', '', [504, 1, 1]],
    ['nor one that Spot did and then failed', [failed], 'POST', '', [504, 1, 1]],
    ['an update is never repeated', [failed], 'PUT', '/:id', [504, 1, 1]],
    ['a delete that was lost is sent once more', [lost], 'DELETE', '/:id', [204, 2, 1]],
    ['a delete that Spot did is sent once more, and what is gone is gone', [done], 'DELETE', '/:id', [204, 2, 1]],
    ['a delete whose second attempt is refused may have been done by the first', [done, { status: 403 }],
      'DELETE', '/:id', [504, 2, 1]],
    ['a delete that fails twice is given up', [twice], 'DELETE', '/:id', [504, 2, 0]],
    ['a delete of what never was is no success', [], 'DELETE', '/sig-00000000', [404, 1, 0]]
  ]
  // An account for each row, with a token of its own: an account has few retries to spend, and a limit that is reached
  // (the row "in the rate limit") is that of all who share the token.
  const accounts = rows.map((_, index) => ({ id: `act-${index}`, token: `vendor-token-${index}` }))
  const sandbox = await startSandbox({ seed: false, rateLimit: Infinity, accounts })
  t.teardown(() => sandbox.close())
  const { request } = await startGateway(t, {
    configuration: {
      accounts: Object.fromEntries(accounts.map((account) => [account.id, { ...account, endpoint: sandbox.url }]))
    }
  })
  for (const [index, [name, faults, method, suffix, want]] of rows.entries()) {
    const groups = `/v1/spot/act-${index}/elastigroups`
    sandbox.faults.clear()
    const { headers: { location = '' } } = await request('POST', groups, { body: group })
    const path = suffix === '/:id' ? location : groups + suffix
    const body = method.startsWith('P') ? group : undefined
    t.strictSame(await under(sandbox, faults, method, () => request(method, path, { body })), want, name)
  }
})

t.test('every request is answered by its deadline, whatever Spot does', async (t) => {
  const kinds: FaultKind[] = [
    'status', 'reset', 'hang', 'garbage', 'truncated', 'stall', 'html', 'redirect', 'wrong-content-type'
  ]
  const faults: Fault[] = [...kinds.map((kind): Fault => ({ kind })), { latency: 600_000 }]
  const one = '/elastigroups/sig-00000001'
  const calls = [
    ['GET', one], ['GET', `${one}/readiness`], ['POST', '/elastigroups', group], ['PUT', one, { name: 'y' }],
    ['DELETE', one], ['POST', `${one}/rolls`, { batchSizePercentage: 20, gracePeriod: 10 }]
  ] as const
  const within = { read: 5000, write: 8000 }
  const STEP = 100
  // An account with a token of its own for each call: its breaker, its retries and its rate limit are nobody else's.
  const nameOf = (row: number, column: number) => `act-${row}-${column}`
  const accounts = faults.flatMap((_, row) => calls.map((_, column) =>
    ({ id: nameOf(row, column), token: `vendor-token-${row}-${column}` })))
  const sandbox = await startSandbox({ accounts, rateLimit: Infinity })
  t.teardown(() => sandbox.close())
  const { request } = await startGateway(t, {
    configuration: {
      deadlines: within,
      accounts: Object.fromEntries(accounts.map((account) => [account.id, { ...account, endpoint: sandbox.url }]))
    }
  })
  const time = stopTime(t)
  for (const [row, fault] of faults.entries()) {
    sandbox.faults.clear()
    sandbox.faults.inject({ ...fault, times: Infinity })
    const began = performance.now()
    const left = { read: 0, write: 0 }
    const replies = calls.map(([method, path, body], column) => {
      const kind = method === 'GET' ? 'read' : 'write'
      left[kind]++
      return request(method, `/v1/spot/${nameOf(row, column)}${path}`, { body }).finally(() => { left[kind]-- })
    })
    const isHeard = (name: string) => sandbox.transcript.some(({ query }) => query.accountId === name)
    await until(() => calls.every((_, column) => isHeard(nameOf(row, column))))
    for (const kind of ['read', 'write'] as const) {
      // Time stands still at the deadline: a request that waits for anything after it is never answered.
      const stop = within[kind] + STEP
      await until(() => {
        if (left[kind] > 0 && performance.now() - began < stop) time.tick(STEP)
        return left[kind] === 0
      })
    }
    const isSilent = fault.kind === 'hang' || fault.kind === 'stall' || fault.latency !== undefined
    for (const [column, reply] of replies.entries()) {
      const [method, path] = calls[column] as typeof calls[number]
      const { status } = await reply
      const what = `${JSON.stringify(fault)}: ${method} ${path} was answered ${status}`
      t.ok(isSilent ? status === 504 : status >= 400, what)
    }
  }
})

t.test('retries are bounded, however many calls fail', async (t) => {
  const { request, sandbox } = await start(t, { sandbox: { rateLimit: Infinity } })
  const { passUntil } = stopTime(t)
  const one = `${groups}/sig-00000001`
  for (let i = 0; i < 100; i++) await request('GET', one)
  sandbox.transcript.length = 0
  sandbox.faults.inject({ kind: 'reset', times: Infinity })
  const calls = 30
  const began = performance.now()
  for (let i = 0; i < calls; i++) await passUntil(request('GET', one))
  const sent = sandbox.transcript.length
  // It is for ten seconds, which began with one of the hundred. When they are over it begins again, with a fifth of 30
  // calls. Without a bound there would be 90.
  const most = calls + 0.2 * (100 + calls) + 0.2 * calls * Math.ceil((performance.now() - began) / 10_000)
  t.ok(sent > calls && sent <= most, `${calls} calls that fail were sent ${sent} times`)
})

t.test('while Spot fails, a breaker holds calls back', async (t) => {
  const { request, sandbox } = await start(t, { sandbox: { seed: false, rateLimit: Infinity } })
  const { headers: { location: one = '' } } = await request('POST', groups, { body: group })
  const time = stopTime(t)
  sandbox.faults.inject({ method: 'GET', status: 500, times: Infinity })
  for (let i = 0; i < 30; i++) await time.passUntil(request('GET', one))
  sandbox.transcript.length = 0

  for (let i = 0; i < 21; i++) {
    const { status, json, headers } = await request('GET', one)
    t.match({ status, type: json.type }, { status: 503, type: /:spot-unavailable$/ })
    t.equal(headers['retry-after'], '5')
  }
  t.equal(sandbox.transcript.length, 0, 'Spot is not asked')
  t.equal((await request('PUT', one, { body: { name: 'y' } })).status, 200, 'writes go on')
  const { text } = await request('GET', '/v1/spot/metrics')
  t.match(text, 'spot_api_upstream_held_back{account="demo",calls="reads"} 1')
  t.match(text, 'spot_api_upstream_held_back{account="demo",calls="writes"} 0')

  sandbox.faults.clear()
  time.tick(4000)
  t.match(await request('GET', one), { status: 503, headers: { 'retry-after': '1' } })
  time.tick(1000)
  t.equal((await request('GET', one)).status, 200, 'after five seconds Spot is asked again')
})

t.test('a breaker opens, lets one call try, and closes', async (t) => {
  let now = 0
  const breaker = new Breaker({ now: () => now, after: () => () => {} })
  const call = {
    operation: 'getElastigroup',
    method: 'GET',
    path: [],
    expects: 'item',
    deadline: Infinity,
    fresh: false,
    client: '',
    reserved: false
  } as const
  /** Seconds to wait where the call was not let through; 0: it was, and ended so. */
  const ends = (outcome: 'success' | 'failed') => breaker.stage(call, async () => {
    if (outcome === 'success') return { items: [], size: 0, source: 'spot', askedAt: now, calls: 1 }
    throw new SpotError({ call, outcome, calls: 1 })
  }).then(() => 0, ({ outcome, details }) => outcome === 'withheld' ? Number(details.headers['retry-after']) : 0)

  for (let i = 0; i < 10; i++) await ends('success')
  for (let i = 0; i < 10; i++) await ends('failed')
  t.equal(await ends('failed'), 0, 'half of them failed: that is not enough')
  t.equal(await ends('success'), 5, 'more than half: it is open')
  now = 4000
  t.equal(await ends('success'), 1)
  now = 5000
  const trying = ends('failed')
  t.equal(await ends('success'), 5, 'while one tries, no other may')
  t.equal(await trying, 0)
  t.equal(await ends('success'), 5, 'it failed: open again')
  now = 10_000
  t.equal(await ends('success'), 0)
  t.strictSame([await ends('success'), await ends('success')], [0, 0], 'it succeeded: closed')

  for (let i = 0; i < 16; i++) await ends('failed')
  now = 21_000
  await ends('failed')
  t.equal(await ends('success'), 0, 'what failed long ago does not count')

  for (let i = 0; i < 40; i++) await ends('failed')
  t.equal(breaker.open, true)
  now += 60_000
  t.equal(breaker.open, false, 'after a minute without a call nobody is held back')
})
