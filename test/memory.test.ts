import t from 'tap'
import type { Answer } from '../services/spot/answer.js'
import type { Call } from '../services/spot/call.js'
import { sleep } from '../services/spot/clock.js'
import { SpotError } from '../services/spot/error.js'
import { Memory } from '../services/spot/stages/memory/index.js'
import { sharedStamps } from '../services/spot/stages/memory/shared-stamps.js'
import { localStamps, type Stamps } from '../services/spot/stages/memory/stamps.js'
import { start } from './helper.js'
import { simulatedStamps } from './simulation/stamps.js'
import { World } from './simulation/world.js'
import { until } from './until.js'
import { VirtualClock } from './virtual-clock.js'

const SETTINGS = { freshFor: 1000, staleFor: 60_000, settle: 15_000 }
const READ = 10_000

/** One server's memory, and Spot behind it: a group with a value. */
function server (clock: VirtualClock, stamps: Stamps = localStamps(() => clock.now()), settings = SETTINGS) {
  const spot = { value: 1, calls: 0, fails: undefined as SpotError['outcome'] | undefined, hold: Promise.resolve() }
  const stage = new Memory({ ...settings, stamps, clock }).stage('account', READ)
  const send = (call: Partial<Call>) => {
    const whole: Call = {
      operation: 'getElastigroup',
      method: 'GET',
      path: ['aws', 'ec2', 'group', 'sig-1'],
      expects: 'item',
      deadline: clock.now() + 60_000,
      fresh: false,
      client: '',
      reserved: false,
      ...call
    }
    return stage(whole, async (call): Promise<Answer> => {
      const askedAt = clock.now()
      spot.calls++
      const { value, fails } = spot
      await spot.hold
      if (call.method === 'PUT' && fails !== 'unsent') spot.value++
      if (fails) throw new SpotError({ call, outcome: fails, calls: 1 })
      return { items: [{ value }], size: 10, source: 'spot', askedAt, calls: 1 }
    })
  }
  const read = async (call: Partial<Call> = {}) => {
    const { items: [item], source } = await send(call)
    return `${(item as { value: number }).value} from ${source}`
  }
  return { spot, read, write: () => send({ operation: 'updateElastigroup', method: 'PUT' }) }
}

const outcomeOf = (call: Promise<unknown>) => call.then(() => 'success', ({ outcome }) => outcome)

t.test('memory answers while an answer is fresh, and never with one from before a write', async (t) => {
  const clock = new VirtualClock()
  const { spot, read, write } = server(clock, undefined, { ...SETTINGS, freshFor: 600_000, staleFor: 0 })
  t.equal(await read(), '1 from spot')
  t.equal(await read(), '1 from memory')
  await write()
  t.equal(await read(), '2 from spot')
  await clock.advance(500_000) // far longer than any mark of the write could be kept
  t.equal(await read(), '2 from memory')
  await clock.advance(100_000)
  t.equal(await read(), '2 from spot', 'it is no longer fresh')
  t.equal(spot.calls, 4)
})

t.test('a fresh read gets the answer of Spot or an error, and a stale one is never from before a write', async (t) => {
  const clock = new VirtualClock()
  const { spot, read, write } = server(clock)
  await read()
  await clock.advance(2000)
  spot.fails = 'rate-limited'
  t.equal(await read(), '1 from stale')
  t.equal(await outcomeOf(read({ fresh: true })), 'rate-limited')
  spot.fails = undefined
  await write()
  spot.fails = 'failed'
  t.equal(await outcomeOf(read()), 'failed')
})

t.test('a stale answer comes before the deadline, though the stamps are slow', async (t) => {
  const clock = new VirtualClock()
  const local = localStamps(() => clock.now())
  const slow: Stamps = { ...local, timeout: 250, read: (names) => sleep(clock, 249).then(() => local.read(names)) }
  const { spot, read } = server(clock, slow)
  const first = read()
  await clock.advance(2000)
  t.equal(await first, '1 from spot')
  spot.hold = new Promise(() => {})
  const deadline = clock.now() + 5000
  let given = Infinity
  const second = read({ deadline }).then((reading) => {
    given = clock.now()
    return reading
  })
  await clock.advance(6000)
  t.equal(await second, '1 from stale')
  t.ok(given <= deadline, `${given - deadline} ms late`)
})

t.test('after an unknown outcome, a resource is excluded from memory until it has settled', async (t) => {
  const clock = new VirtualClock()
  const { spot, read, write } = server(clock, undefined, { ...SETTINGS, freshFor: 60_000 })
  spot.fails = 'interrupted'
  t.equal(await outcomeOf(write()), 'interrupted')
  spot.fails = undefined
  for (let i = 0; i < 3; i++) t.equal(await read(), '2 from spot')
  await clock.advance(15_001)
  t.equal(await read(), '2 from spot')
  t.equal(await read(), '2 from memory')
})

t.test('after a create-failed, a resource is excluded from memory, since it may exist', async (t) => {
  const { spot, read, write } = server(new VirtualClock(), undefined, { ...SETTINGS, freshFor: 60_000 })
  spot.fails = 'create-failed'
  t.equal(await outcomeOf(write()), 'create-failed')
  spot.fails = undefined
  for (let i = 0; i < 2; i++) t.equal(await read(), '2 from spot')
})

t.test('a 404 is remembered like any answer', async (t) => {
  const { spot, read } = server(new VirtualClock())
  spot.fails = 'not-found'
  for (let i = 0; i < 5; i++) t.equal(await outcomeOf(read()), 'not-found')
  t.equal(spot.calls, 1)
})

t.test('no read waits longer than two seconds for another\'s hanging call', async (t) => {
  const clock = new VirtualClock()
  const { spot, read, write } = server(clock)
  spot.hold = new Promise(() => {})
  const hanging = outcomeOf(read({ deadline: clock.now() + 30_000 }))
  await clock.settle()
  spot.hold = Promise.resolve()
  await write()
  t.equal(await read(), '2 from spot', 'who comes after a write does not join it')
  spot.hold = new Promise(() => {})
  const again = outcomeOf(read({ fresh: true, deadline: clock.now() + 30_000 }))
  await clock.settle()
  spot.hold = Promise.resolve()
  const next = read({ fresh: true })
  await clock.advance(2000)
  t.equal(await next, '2 from spot', 'who needs the next call waits two seconds for the one before')
  await clock.advance(30_000)
  t.strictSame([await hanging, await again], ['timeout', 'timeout'])
})

for (const calls of [0, 1]) {
  t.test(`a 429 to one read after ${calls} attempts does not fail a read that shared its call`, async (t) => {
    const clock = new VirtualClock()
    const { spot, read } = server(clock)
    let refuse = () => {}
    spot.hold = new Promise((_resolve, reject) => {
      refuse = () => reject(new SpotError({
        call: { operation: 'getElastigroup', method: 'GET' }, outcome: 'rate-limited', calls
      }))
    })
    const greedy = outcomeOf(read())
    const other = read()
    await clock.settle()
    spot.hold = Promise.resolve()
    refuse()
    t.equal(await greedy, 'rate-limited')
    t.equal(await other, '1 from spot')
  })
}

t.test('a read that shares a hanging call sends its own after two seconds', async (t) => {
  const clock = new VirtualClock()
  const { spot, read } = server(clock)
  spot.hold = new Promise(() => {})
  const hanging = outcomeOf(read({ deadline: clock.now() + 9000 }))
  const other = read()
  await clock.settle()
  spot.hold = Promise.resolve()
  await clock.advance(2000)
  t.equal(await other, '1 from spot')
  await clock.advance(9000)
  t.equal(await hanging, 'timeout')
})

t.test('two servers that share their stamps', async (t) => {
  /** Time that both, and what they share, go by. */
  function pair (settings = SETTINGS) {
    const clock = new VirtualClock(0)
    const world = new World(1)
    world.at = (when, happen) => clock.after(when - clock.now(), happen)
    Object.defineProperty(world, 'now', { get: () => clock.now() })
    const stores = simulatedStamps(world)
    const said: boolean[] = []
    const servers = [0, 1].map(() => {
      const link = { lost: 0, dropped: 0, delay: 0, partitioned: false }
      const stamps = sharedStamps({ store: stores.linkedBy(link), clock, onChange: (usable) => said.push(usable) })
      return { link, ...server(clock, stamps, settings) }
    })
    /** What comes of it, in a time that goes on. */
    const result = async <T>(work: Promise<T>) => {
      let over = false
      work.then(() => { over = true }, () => { over = true })
      await until(() => over, () => clock.advance(10))
      return work
    }
    return { clock, said, result, one: servers[0]!, other: servers[1]! }
  }

  await t.test('one never answers with what was there before a write through the other', async (t) => {
    const { result, one, other } = pair({ ...SETTINGS, freshFor: 60_000 })
    await result(one.read())
    t.equal(await result(one.read()), '1 from memory')
    await result(other.write())
    t.equal(await result(one.read()), '1 from spot')
  })

  await t.test('one that cannot reach the stamps uses no memory, reports it once, and comes back', async (t) => {
    const { clock, said, result, one } = pair({ ...SETTINGS, freshFor: 60_000 })
    await result(one.read())
    one.link.partitioned = true
    for (let i = 0; i < 3; i++) t.equal(await result(one.read()), '1 from spot')
    t.strictSame(said, [false])
    one.link.partitioned = false
    await clock.advance(2000)
    t.strictSame(said, [false, true])
    await result(one.read())
    t.equal(await result(one.read()), '1 from memory')
  })

  await t.test('a write that cannot renew the stamps is answered after freshFor', async (t) => {
    const { clock, result, one } = pair({ ...SETTINGS, freshFor: 5000 })
    one.link.partitioned = true
    const began = clock.now()
    await result(one.write())
    t.ok(clock.now() - began >= 5000, `${clock.now() - began} virtual milliseconds`)
    const patient = pair({ ...SETTINGS, freshFor: 70_000 })
    patient.one.link.partitioned = true
    t.equal(await outcomeOf(patient.result(patient.one.write())), 'unannounced')
    t.equal(patient.one.spot.calls, 0, 'or nothing is sent, where that is later than its deadline')
  })

  await t.test('a write that loses the stamps after it was sent is answered by its deadline', async (t) => {
    const { clock, result, one, other } = pair({ ...SETTINGS, freshFor: 70_000 })
    let answer = () => {}
    one.spot.hold = new Promise((resolve) => { answer = resolve })
    const began = clock.now()
    const written = one.write()
    await until(() => one.spot.calls === 1, () => clock.advance(10))
    t.equal(await result(other.read()), '1 from spot')
    one.link.partitioned = true
    answer()
    await result(written)
    t.ok(clock.now() - began < 60_000, `${clock.now() - began} virtual milliseconds`)
    t.equal(await result(other.read()), '1 from spot', 'and nobody uses memory for what was written')
  })
})

t.test('an account name that now means another account gets nothing from memory of the old one', async (t) => {
  const { request, app, sandbox } = await start(t, {
    configuration: { reads: { freshFor: 600_000, staleFor: 600_000 } },
    sandbox: { accounts: [{ id: 'act-5a9db0c5', token: 'vendor-token-for-tests' }, { id: 'act-2', token: 'token-2' }] }
  })
  const groups = '/v1/spot/demo/elastigroups'
  for (let i = 0; i < 2; i++) t.ok((await request('GET', groups)).json.length > 0)
  const demo = { id: 'act-2', token: 'token-2', endpoint: sandbox.url }
  let letGo = () => {}
  sandbox.faults.inject({ method: 'GET', latency: new Promise<void>((resolve) => { letGo = resolve }) })
  const calls = sandbox.transcript.length
  const early = request('GET', groups, { headers: { 'cache-control': 'no-cache' } })
  await until(() => sandbox.transcript.length > calls)
  app.reload.apply({ ...app.configuration, accounts: { demo } })
  letGo()
  t.ok((await early).json.length > 0, 'who asked before the reload gets what was asked for')
  t.strictSame((await request('GET', groups)).json, [])
  app.reload.apply({ ...app.configuration, accounts: {} })
  t.equal((await request('GET', groups)).status, 404)
})
