import { performance } from 'node:perf_hooks'
import t from 'tap'
import type { Fault, FaultKind } from '../services/sandbox/index.js'
import { Breaker } from '../services/spotinst/breaker.js'
import { start } from './helper.js'

const groups = '/v1/spot/demo/elastigroups'
const group = { name: 'x', strategy: {}, capacity: { minimum: 0, target: 0, maximum: 1 }, compute: {} }

/** A gateway in front of a sandbox, one group in it, and what Spot has seen of a call. */
async function startWithGroup (t: Parameters<typeof start>[0], options: Parameters<typeof start>[1] = {}) {
  const gateway = await start(t, { ...options, sandbox: { seed: false, rateLimit: Infinity, ...options.sandbox } })
  const { request, sandbox } = gateway
  const { headers: { location = '' } } = await request('POST', groups, { body: group })
  return {
    ...gateway,
    one: location,
    /** Makes a call under faults. */
    async under (faults: Fault[], method: string, path: string, body?: unknown) {
      sandbox.faults.clear()
      for (const fault of faults) sandbox.faults.inject(fault)
      sandbox.transcript.length = 0
      const reply = await request(method, path, { body })
      const calls = sandbox.transcript.filter((call) => call.method === method)
      const committed = calls.filter((call) => call.committed).length
      return [reply.status, calls.length, committed]
    }
  }
}

t.test('how often a call is sent, and what comes of it', async (t) => {
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
    ['a delete that fails twice is given up', [twice], 'DELETE', '/:id', [504, 2, 0]],
    ['a delete of what never was is no success', [], 'DELETE', '/sig-00000000', [404, 1, 0]]
  ]
  for (const [name, faults, method, suffix, want] of rows) {
    const { under, one } = await startWithGroup(t)
    const path = suffix === '/:id' ? one : groups + suffix
    t.strictSame(await under(faults, method, path, method.startsWith('P') ? group : undefined), want, name)
  }
})

t.test('no request outlives its deadline, whatever Spot does', async (t) => {
  const within = { read: 500, write: 800 }
  const kinds: FaultKind[] = [
    'status', 'reset', 'hang', 'garbage', 'truncated', 'stall', 'html', 'redirect', 'wrong-content-type'
  ]
  const slow: Fault[] = [{ latency: 5000 }, { latency: 450, kind: 'reset' }]
  const { request, sandbox, one } = await startWithGroup(t, { configuration: { deadlines: within } })
  // The first calls of a process are slow by themselves.
  for (let i = 0; i < 20; i++) await request('GET', one)
  let longest = -Infinity
  for (const fault of [...kinds.map((kind): Fault => ({ kind })), ...slow]) {
    sandbox.faults.clear()
    sandbox.faults.inject({ ...fault, times: Infinity })
    const calls = [
      ['GET', one], ['GET', `${one}/readiness`], ['POST', groups, group], ['PUT', one, { name: 'y' }], ['DELETE', one],
      ['POST', `${one}/rolls`, { batchSizePercentage: 20, gracePeriod: 10 }]
    ] as const
    for (const [method, path, body] of calls) {
      const began = performance.now()
      await request(method, path, { body })
      const late = performance.now() - began - (method === 'GET' ? within.read : within.write)
      longest = Math.max(longest, late)
      t.ok(late < 250, `${JSON.stringify(fault)}: ${method} ${path.slice(-12)} was ${late.toFixed()} ms late`)
    }
  }
  t.comment(`latest: ${longest.toFixed()} ms after the deadline`)
})

t.test('retries are bounded, however many calls fail', async (t) => {
  const { request, sandbox, one } = await startWithGroup(t)
  for (let i = 0; i < 100; i++) await request('GET', one)
  sandbox.transcript.length = 0
  sandbox.faults.inject({ kind: 'reset', times: Infinity })
  const calls = 30
  for (let i = 0; i < calls; i++) await request('GET', one)
  const sent = sandbox.transcript.length
  t.ok(sent > calls && sent <= calls + 0.2 * (100 + calls), `${calls} calls that fail were sent ${sent} times`)
})

t.test('calls to a Spot that fails are held back', async (t) => {
  const { request, sandbox, one } = await startWithGroup(t)
  sandbox.faults.inject({ method: 'GET', status: 500, times: Infinity })
  for (let i = 0; i < 30; i++) await request('GET', one)
  sandbox.transcript.length = 0

  const times: number[] = []
  for (let i = 0; i < 21; i++) {
    const began = performance.now()
    const { status, json, headers } = await request('GET', one)
    times.push(performance.now() - began)
    t.match({ status, type: json.type }, { status: 503, type: /:spot-unavailable$/ })
    t.ok(Number(headers['retry-after']) > 0 && Number(headers['retry-after']) <= 5)
  }
  const median = times.sort((a, b) => a - b)[10] as number
  t.ok(median < 10, `the answer takes ${median.toFixed(1)} ms`)
  t.equal(sandbox.transcript.length, 0, 'Spot is not asked')
  t.equal((await request('PUT', one, { body: { name: 'y' } })).status, 200, 'writes go on')
  const { text } = await request('GET', '/v1/spot/metrics')
  t.match(text, 'spot_api_upstream_held_back{account="demo",calls="reads"} 1')
  t.match(text, 'spot_api_upstream_held_back{account="demo",calls="writes"} 0')
})

t.test('a breaker opens, lets one call try, and closes', async (t) => {
  let now = 0
  const breaker = new Breaker(() => now)
  for (let i = 0; i < 10; i++) breaker.tell(false)
  for (let i = 0; i < 10; i++) breaker.tell(true)
  t.equal(breaker.ask(), 0, 'half of them failed: that is not enough')
  breaker.tell(true)
  t.equal(breaker.ask(), 5000, 'more than half: it is open')
  now = 4000
  t.equal(breaker.ask(), 1000)
  now = 5000
  t.equal(breaker.ask(), 0, 'one may try')
  t.equal(breaker.ask(), 5000, 'no other')
  breaker.tell(true)
  t.equal(breaker.ask(), 5000, 'it failed: open again')
  now = 10_000
  t.equal(breaker.ask(), 0)
  breaker.tell(false)
  t.strictSame([breaker.ask(), breaker.ask()], [0, 0], 'it succeeded: closed')

  for (let i = 0; i < 19; i++) breaker.tell(true)
  now = 21_000
  breaker.tell(true)
  t.equal(breaker.ask(), 0, 'what failed long ago does not count')
})
