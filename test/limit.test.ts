import { createHash } from 'node:crypto'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { RateLimit } from '../sandbox/protocol/rate-limit.js'
import type { Answer } from '../services/spot/answer.js'
import type { Call } from '../services/spot/call.js'
import { sleep, systemClock, type Clock } from '../services/spot/clock.js'
import { SpotError, type SpotFailure } from '../services/spot/error.js'
import { createLimit, type LimitOptions } from '../services/spot/stages/limit/index.js'
import { RedisWindow } from '../services/spot/stages/limit/redis-window.js'
import type { SharedWindow } from '../services/spot/stages/limit/shared.js'
import { KEPT, RouteWindow, type Send } from '../services/spot/stages/limit/window.js'
import { quotaOf, type Quota } from '../services/spot/wire/quota.js'
import { blocked, CASES, failuresOf, quota } from './limit-cases.js'
import { noRedis, startRedis } from './redis.js'
import { until } from './until.js'
import { VirtualClock } from './virtual-clock.js'

/** Milliseconds of a read's deadline. */
const DEADLINE = 20_000

t.test('the rules, in memory', async (t) => {
  for (const [name, steps] of CASES) t.strictSame(await failuresOf(steps, new RouteWindow(), 1_000_000), [], name)
})

t.test('the same rules in Redis', { skip: noRedis }, async (t) => {
  const { url } = await startRedis(t)
  let now = 0
  const window = new RedisWindow(url, () => now)
  await window.connect()
  t.teardown(() => window.close())
  for (const [name, steps] of CASES) {
    t.strictSame(await failuresOf(steps, {
      enter (at, ask) {
        now = at
        return window.enter(name, ask)
      },
      async leave (at, send, feedback) {
        now = at
        await window.leave(name, send.client, send as Parameters<typeof window.leave>[2], feedback)
      }
    }, 1_000_000), [], name)
  }
})

t.test('memory and Redis decide alike, call by call', { skip: noRedis }, async (t) => {
  const { url } = await startRedis(t)
  let now = 1_000_000
  let routes = 0
  const shared = new RedisWindow(url, () => now)
  await shared.connect()
  t.teardown(() => shared.close())
  const tells = fc.oneof(
    { weight: 6, arbitrary: fc.nat(20).map((remaining) => quota(20, remaining)) },
    fc.constantFrom(undefined, 'unsent' as const, blocked(0), blocked(3000, 20), quota(Infinity, Infinity))
  )
  const steps = fc.array(fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ client: fc.constantFrom('a', 'b'), reserved: fc.boolean(), ahead: fc.nat(2) })
    },
    { weight: 4, arbitrary: fc.record({ which: fc.nat(20), feedback: tells }) },
    { weight: 1, arbitrary: fc.record({ wait: fc.constantFrom(1, 500, 2000, 30_000, 60_000) }) }
  ), { minLength: 10, maxLength: 80 })
  await fc.assert(fc.asyncProperty(steps, async (steps) => {
    const route = `route-${routes++}`
    const own = new RouteWindow()
    const open: [Send, Send][] = []
    for (const step of steps) {
      if ('wait' in step) {
        now += step.wait
      } else if ('which' in step) {
        const [pair] = open.splice(step.which % (open.length || 1), 1)
        if (!pair) continue
        own.leave(now, pair[0], step.feedback)
        await shared.leave(route, pair[0].client, pair[1] as Parameters<typeof shared.leave>[2], step.feedback)
      } else {
        const ask = { ...step, share: 0.5, aheadOwn: 0, lease: 1e6 }
        const replies = [own.enter(now, ask), await shared.enter(route, ask)] as const
        const [first, second] = replies.map((reply) => ({ ...reply, id: undefined }))
        t.strictSame(second, first)
        if (JSON.stringify(first) !== JSON.stringify({ ...first, ...second })) return false
        if (!('wait' in replies[0]) && !('wait' in replies[1])) open.push([replies[0], replies[1]])
      }
    }
    return true
  }), { numRuns: 60 })
})

const organization = { name: 'demo', id: 'organization' }

/** A limit with its stage, and the events that it reported. */
function start (t: Test, clock: Clock, options: Partial<LimitOptions> = {}) {
  const events: unknown[] = []
  const limit = createLimit({
    clock,
    shareOf: () => 1,
    onBlock: (blocked, { route, seconds }) => { events.push([blocked ? 'blocked' : 'unblocked', route, seconds]) },
    onShared: (shared) => { events.push(shared ? 'shared' : 'alone') },
    ...options
  })
  t.teardown(() => limit.close())
  return { limit, events, stage: limit.stage(organization) }
}

const callOf = (clock: Clock, part: Partial<Call> = {}): Call => ({
  operation: 'getElastigroup',
  method: 'GET',
  path: [],
  expects: 'items',
  deadline: clock.now() + DEADLINE,
  fresh: false,
  client: '',
  reserved: false,
  ...part
})

const answer = (quota?: Quota): Answer => ({ items: [], size: 0, source: 'spot', askedAt: 0, calls: 1, quota })
const failure = (call: Call, outcome: SpotFailure['outcome'], part: Partial<SpotFailure> = {}) =>
  new SpotError({ call, outcome, calls: 1, ...part })
const never = () => new Promise<never>(() => {})

/** One word for how a call came out, as soon as it has. */
function watch (result: Promise<Answer>) {
  const watched: { word: string, error?: SpotError } = { word: 'pending' }
  result.then(
    () => { watched.word = 'success' },
    (error: SpotError) => Object.assign(watched, { word: error.outcome, error }))
  return watched
}

t.test('through the stage', async (t) => {
  const clock = new VirtualClock()

  t.test('two creates at a cold route go at once, though both hang', async (t) => {
    const { stage } = start(t, clock)
    let sent = 0
    for (let count = 0; count < 2; count++) {
      watch(stage(callOf(clock, { operation: 'createElastigroup', method: 'POST' }), () => {
        sent++
        return never()
      }))
    }
    await clock.settle()
    t.equal(sent, 2)
  })

  t.test('nobody waits for the hanging calls of others for more than two seconds', async (t) => {
    const { stage } = start(t, clock)
    for (let count = 0; count < 10; count++) watch(stage(callOf(clock), never))
    const result = watch(stage(callOf(clock), async () => answer()))
    await clock.advance(1999)
    t.equal(result.word, 'pending')
    await clock.advance(1)
    t.equal(result.word, 'success')
  })

  t.test('a wait of over two seconds is answered at once', async (t) => {
    const { stage, events, limit } = start(t, clock)
    await stage(callOf(clock), async () => answer(quota(1, 0)))
    const { word, error } = await settled(clock, stage(callOf(clock), never))
    t.match({ word, calls: error?.calls, headers: error?.details.headers }, {
      word: 'rate-limited',
      calls: 0,
      headers: { 'retry-after': '61', ratelimit: '"spot";r=0;t=61', 'ratelimit-policy': '"spot";q=1;w=60' }
    })
    t.strictSame(events, [['blocked', 'getElastigroup', 61]])
    await clock.advance(1000)
    t.strictSame(limit.standings(), [{
      labels: { organization: 'demo', route: 'getElastigroup', method: 'GET' }, remaining: 0, blockedSeconds: 1
    }])
    await clock.advance(60_000)
    t.strictSame(events.slice(1), [['unblocked', 'getElastigroup', 61]])
    t.match(limit.standings(), [{ remaining: 1, blockedSeconds: 61 }])
  })

  t.test('those who wait go in their order, once there is room', async (t) => {
    const { stage } = start(t, clock)
    for (const remaining of [1, 0]) {
      await stage(callOf(clock), async () => answer(quota(2, remaining)))
      await clock.advance(500)
    }
    await clock.advance(KEPT - 2000)
    const went: string[] = []
    const pass = (name: string) => watch(stage(callOf(clock, { client: name }), async () => {
      went.push(name)
      return answer()
    }))
    const words = [pass('a'), pass('b'), pass('c')]
    await clock.settle()
    t.equal(words[2]?.word, 'rate-limited', 'there is no room for a third within two seconds')
    await clock.advance(999)
    t.strictSame(went, [])
    await clock.advance(1)
    t.strictSame(went, ['a'])
    await clock.advance(500)
    t.strictSame(went, ['a', 'b'])
  })

  t.test('clients take turns', async (t) => {
    const { stage } = start(t, clock)
    for (let index = 0; index < 18; index++) {
      await stage(callOf(clock), async () => answer(quota(20, 19 - index)))
      await clock.advance(100)
    }
    await clock.advance(KEPT - 1850)
    const pass = (client: string) => watch(stage(callOf(clock, { client }), async () => answer()))
    const many = Array.from({ length: 18 }, () => pass('many'))
    const one = pass('one')
    await clock.advance(150)
    t.strictSame([many.filter(({ word }) => word === 'success').length, one.word], [1, 'success'])
  })

  t.test('a client that waits for its own share is in front of nobody', async (t) => {
    const { stage } = start(t, clock, { shareOf: () => 0.5 })
    const pass = (client: string) => watch(stage(callOf(clock, { client }), async () => answer(quota(4, 3))))
    pass('one')
    await clock.settle()
    pass('one')
    await clock.advance(10_000)
    pass('other')
    await clock.advance(KEPT - 11_000)
    const [held, free] = [pass('one'), pass('other')]
    await clock.settle()
    t.strictSame([held.word, free.word], ['pending', 'success'])
  })

  t.test('a call whose deadline passes while it waits was not sent', async (t) => {
    const { stage } = start(t, clock)
    for (let count = 0; count < 10; count++) watch(stage(callOf(clock), never))
    const results = [1000, -1].map((left) => watch(stage(callOf(clock, { deadline: clock.now() + left }), never)))
    await clock.advance(1000)
    for (const { word, error } of results) t.strictSame([word, error?.calls], ['queued', 0])
    const next = watch(stage(callOf(clock), async () => answer()))
    await clock.advance(1000)
    t.equal(next.word, 'success', 'and holds up nobody')
  })

  t.test('a 429 sends those away who wait, and a probe lets the others go', async (t) => {
    const { stage, events } = start(t, clock)
    const open: (() => void)[] = []
    const refused = callOf(clock)
    for (let count = 0; count < 10; count++) {
      watch(stage(refused, () => new Promise((_resolve, reject) => {
        open.push(() => reject(failure(refused, 'rate-limited', { quota: blocked(5000, 100) })))
      })))
    }
    const waiting = watch(stage(callOf(clock), never))
    await clock.settle()
    open[0]?.()
    await clock.settle()
    t.strictSame([waiting.word, waiting.error?.details.headers?.['retry-after']], ['rate-limited', '6'])
    t.strictSame(events, [['blocked', 'getElastigroup', 6]])
    await clock.advance(4500)
    let probe = (_answer: Answer) => {}
    let sent = 0
    const patient = Array.from({ length: 5 }, () => watch(stage(callOf(clock), () => {
      if (sent++ > 0) return Promise.resolve(answer())
      return new Promise((resolve) => { probe = resolve })
    })))
    await clock.advance(1499)
    t.equal(sent, 0)
    await clock.advance(101)
    t.equal(sent, 1)
    probe(answer(quota(100, 90)))
    await clock.settle()
    t.strictSame(patient.map(({ word }) => word), Array(5).fill('success'))
    t.strictSame(events.slice(1), [['unblocked', 'getElastigroup', 6]])
  })

  t.test('a call that never left gives its place to the next', async (t) => {
    const { stage } = start(t, clock)
    await stage(callOf(clock), async () => answer(quota(2, 1)))
    for (const outcome of ['unsent', 'withheld'] as const) {
      const call = callOf(clock)
      const { word } = await settled(clock, stage(call, async () => { throw failure(call, outcome, { calls: 0 }) }))
      t.equal(word, outcome)
    }
    t.ok(await stage(callOf(clock), async () => answer()))
    const call = callOf(clock)
    t.equal((await settled(clock, stage(call, never))).word, 'rate-limited')
  })

  t.test('routes and organizations do not share a limit', async (t) => {
    const { stage, limit } = start(t, clock)
    await stage(callOf(clock), async () => answer(quota(1, 0)))
    t.ok(await stage(callOf(clock, { operation: 'listElastigroups' }), async () => answer()))
    t.ok(await limit.stage({ name: 'other', id: 'other' })(callOf(clock), async () => answer()))
  })

  t.test('under constant load the log says once that calls are refused', async (t) => {
    const { stage, events } = start(t, clock)
    for (let count = 0; count < 3000; count++) {
      watch(stage(callOf(clock), async () => answer(quota(10, 5))))
      await clock.advance(100)
    }
    t.equal(events.length, 1)
  })
})

async function settled (clock: VirtualClock, result: Promise<Answer>) {
  const watched = watch(result)
  await clock.settle()
  return watched
}

t.test('one client with 1,100 calls keeps nobody from going', async (t) => {
  for (const hanging of [false, true]) {
    const clock = new VirtualClock()
    const { stage } = start(t, clock, { shareOf: (client) => client === '' ? 1 : 0.5 })
    const spot = new RateLimit(100)
    const next = async () => {
      await sleep(clock, 50)
      if (hanging) return never()
      const { limit, remaining } = spot.count('route', clock.now())
      return answer(quota(limit, remaining))
    }
    const greedy = Array.from({ length: 1100 }, () => watch(stage(callOf(clock, { client: 'greedy' }), next)))
    const other = watch(stage(callOf(clock, { client: 'other' }), async () => answer()))
    await clock.advance(2000)
    t.equal(other.word, 'success', 'another client goes')
    if (hanging) continue
    t.equal(greedy.filter(({ word }) => word === 'success').length, 50, 'it has its share')
    t.equal(greedy.filter(({ word }) => word === 'rate-limited').length, 1050)
    const others = Array.from({ length: 60 }, () => watch(stage(callOf(clock, { client: 'other' }), next)))
    await clock.advance(100)
    t.equal(others.filter(({ word }) => word === 'success').length, 39, 'the other one has the rest')
    const guards = ['greedy', 'other', ''].flatMap((client) => Array.from({ length: 3 }, () =>
      watch(stage(callOf(clock, { client, reserved: true }), next))))
    await clock.advance(100)
    t.strictSame(guards.map(({ word }) => word), Array(9).fill('success'), 'and guards go whoever asks')
  }
})

/** One call of the simulation: how long after the one before, its ways there and back, and what becomes of it. */
interface Move {
  gap: number
  there: number
  back: number
  fate: 'answered' | 'lost' | 'late' | 'unsent'
  client: string
  reserved: boolean
  /** Calls of others that use the limit, just before. */
  others: number
}

const moves = (others: number) => fc.array(fc.record<Move>({
  gap: fc.oneof({ weight: 6, arbitrary: fc.nat(50) }, { weight: 2, arbitrary: fc.nat(5000) }, fc.nat(70_000)),
  there: fc.oneof({ weight: 4, arbitrary: fc.nat(100) }, fc.nat(15_000)),
  back: fc.oneof({ weight: 4, arbitrary: fc.nat(100) }, fc.nat(15_000)),
  fate: fc.oneof({ weight: 8, arbitrary: fc.constant('answered' as const) },
    fc.constantFrom('lost' as const, 'late' as const, 'unsent' as const)),
  client: fc.constantFrom('a', 'b'),
  reserved: fc.boolean(),
  others: fc.nat(others)
}), { minLength: 10, maxLength: 150 })

interface History {
  refusals: number
  /** Sends between a 429 that was heard and its reset. */
  trespasses: number
  sent: number
  /** Calls that were refused here, though there was room. */
  needless: number
  goesOn: boolean
}

/** Plays calls against a simulated Spot, which counts on arrival and rounds its reset. */
async function play (limit: number, roundDown: boolean, list: Move[]): Promise<History> {
  const clock = new VirtualClock()
  const spot = new RateLimit(limit)
  const history = { refusals: 0, trespasses: 0, sent: 0, needless: 0, goesOn: false }
  const ended: number[] = []
  /** When calls arrived after they were given up: they look like calls of others, which count for a minute. */
  const late: number[] = []
  let underWay = 0
  let blockedUntil = 0
  const window = createLimit({ clock, shareOf: () => 1, onBlock () {}, onShared () {} })
  const stage = window.stage(organization)

  const count = (): Quota => {
    const { remaining, reset, blocked } = spot.count('route', clock.now())
    return { limit, remaining, reset: Math.max(0, reset - (roundDown ? 1 : 0)) * 1000, blocked }
  }
  const exchange = ({ there, back, fate }: Pick<Move, 'there' | 'back' | 'fate'>) => async (call: Call) => {
    if (clock.now() < blockedUntil) history.trespasses++
    history.sent++
    underWay++
    await sleep(clock, there)
    if (fate === 'unsent') {
      underWay--
      throw failure(call, 'unsent', { calls: 0 })
    }
    let quota: Quota | undefined
    if (fate === 'late') {
      clock.after(900, () => {
        late.push(clock.now())
        count()
      })
    } else quota = count()
    if (quota?.blocked) history.refusals++
    await sleep(clock, back)
    underWay--
    ended.push(clock.now())
    if (fate !== 'answered' || !quota) throw failure(call, 'timeout')
    if (quota.blocked) blockedUntil = Math.max(blockedUntil, clock.now() + quota.reset)
    if (quota.blocked) throw failure(call, 'rate-limited', { quota })
    return answer(quota)
  }
  const pass = async (call: Call, how: Pick<Move, 'there' | 'back' | 'fate'>) => {
    try {
      await stage(call, exchange(how))
    } catch (error) {
      if (!(error instanceof SpotError)) throw error
      if (error.calls > 0 || error.outcome !== 'rate-limited') return
      const ours = underWay + ended.filter((at) => at + KEPT > clock.now()).length +
        late.filter((at) => at + 2 * KEPT > clock.now()).length
      if (ours < limit - (call.reserved ? 0 : Math.floor(limit / 10))) history.needless++
    }
  }
  const swift = { there: 0, back: 0, fate: 'answered' as const }

  pass(callOf(clock), swift)
  await clock.advance(0)
  for (const move of list) {
    for (let other = 0; other < move.others; other++) spot.count('route', clock.now())
    pass(callOf(clock, { client: move.client, reserved: move.reserved }), move)
    await clock.advance(move.gap)
  }
  await clock.advance(11 * 60_000)
  const last = watch(stage(callOf(clock), exchange(swift)))
  await clock.advance(0)
  history.goesOn = last.word === 'success'
  window.close()
  return history
}

const limits = fc.integer({ min: 1, max: 30 })
const RUNS = Number(process.env.SEQUENCES ?? 200)

t.test('while nobody else uses the limit, Spot never answers 429, and no room is left', async (t) => {
  const total = { sent: 0 }
  await fc.assert(fc.asyncProperty(limits, fc.boolean(), moves(0), async (limit, down, list) => {
    const { refusals, needless, goesOn, sent } = await play(limit, down, list)
    total.sent += sent
    return refusals === 0 && needless === 0 && goesOn
  }), { numRuns: RUNS })
  t.ok(total.sent > RUNS, `${total.sent} calls were sent`)
})

t.test('whoever else uses it, nothing is sent before the reset, and calls go on afterwards', async (t) => {
  const total = { sent: 0, refusals: 0 }
  await fc.assert(fc.asyncProperty(limits, fc.boolean(), moves(8), async (limit, down, list) => {
    const { refusals, trespasses, goesOn, sent } = await play(limit, down, list)
    total.sent += sent
    total.refusals += refusals
    return trespasses === 0 && goesOn
  }), { numRuns: RUNS })
  t.ok(total.refusals > 0, `of ${total.sent} calls, Spot refused ${total.refusals}`)
})

t.test('a reset that is rounded down is not run into again and again', async (t) => {
  const clock = new VirtualClock()
  const { stage } = start(t, clock)
  const spot = new RateLimit(10)
  let refusals = 0
  for (let call = 0; call < 10; call++) {
    spot.count('route', clock.now())
    await clock.advance(400)
  }
  for (let count = 0; count < 400; count++) {
    const call = callOf(clock)
    watch(stage(call, async () => {
      const { limit, remaining, reset, blocked } = spot.count('route', clock.now())
      if (blocked) refusals++
      const feedback = { limit, remaining, blocked, reset: Math.max(0, reset - 1) * 1000 }
      if (blocked) throw failure(call, 'rate-limited', { quota: feedback })
      return answer(feedback)
    }))
    await clock.advance(250)
  }
  t.equal(refusals, 1)
})

t.test('with others that use half of the limit, the rest is used, and few calls are refused', async (t) => {
  const clock = new VirtualClock()
  const { stage } = start(t, clock)
  const spot = new RateLimit(100)
  let [refusals, sent] = [0, 0]
  for (let count = 0; count < 6000; count++) {
    if (count % 12 === 0) spot.count('route', clock.now())
    const call = callOf(clock)
    watch(stage(call, async () => {
      await sleep(clock, 80 + count % 40)
      const { limit, remaining, reset, blocked } = spot.count('route', clock.now())
      sent++
      await sleep(clock, 150 + count % 90)
      if (!blocked) return answer(quota(limit, remaining, reset * 1000))
      refusals++
      throw failure(call, 'rate-limited', { quota: { limit, remaining, blocked, reset: reset * 1000 } })
    }))
    await clock.advance(100)
  }
  t.ok(sent >= 400, `${sent} calls went in ten minutes`)
  t.ok(refusals <= 5, `${refusals} were refused: the few of one moment, when what others used was not known yet`)
})

t.test('a reset that cannot be is a minute', async (t) => {
  const reset = (value: string) => quotaOf(429, { 'x-ratelimit-limit': '10', 'x-ratelimit-reset': value })?.reset
  for (const value of ['1760000000', '601', '-1', '', 'soon', 'Infinity']) t.equal(reset(value), 60_000, value)
  t.equal(reset('600'), 600_000)
  t.equal(reset('0'), 0)
})

t.test('taking a place costs microseconds, with a thousand sends in the window', async (t) => {
  const { stage } = start(t, systemClock)
  const round = async (times: number, work: () => unknown) => {
    const began = performance.now()
    for (let index = 0; index < times; index++) await work()
    return (performance.now() - began) / times * 1000
  }
  const call = callOf(systemClock, { deadline: Infinity })
  const full = answer(quota(1e6, 1e6 - 1))
  const pass = () => stage(call, async () => full)
  const sha = () => createHash('sha256').update(Buffer.alloc(16 * 1024)).digest('hex')
  await round(10_000, pass)
  await round(1000, sha)
  const [cost, yard] = [await round(50_000, pass), await round(5000, sha)]
  t.comment(`a place is taken and given back in ${cost.toFixed(2)} µs; 16 KiB are hashed in ${yard.toFixed(2)} µs`)
  t.ok(cost < yard * 5)
})

/** What servers share, in memory, which can be cut off or made to hang. */
class SimulatedWindow implements SharedWindow {
  readonly #window = new RouteWindow()
  readonly #clock: Clock
  mode: 'up' | 'down' | 'hangs' = 'up'
  /** Replies that hang, once they may go. */
  release: (() => void)[] = []

  constructor (clock: Clock) {
    this.#clock = clock
  }

  connect = () => this.#answer(() => {})
  enter: SharedWindow['enter'] = (_route, ask) => this.#answer(() => this.#window.enter(this.#clock.now(), ask))
  leave: SharedWindow['leave'] = (_route, _client, send, feedback) =>
    this.#answer(() => { if (send) this.#window.leave(this.#clock.now(), send, feedback) })

  close () {}

  get remaining () {
    return this.#window.remaining(this.#clock.now())
  }

  async #answer<T> (work: () => T): Promise<T> {
    if (this.mode === 'down') throw new Error('down')
    if (this.mode === 'hangs') await new Promise<void>((resolve) => this.release.push(resolve))
    return work()
  }
}

t.test('servers that share a limit', async (t) => {
  t.test('use all of it together, and no more', async (t) => {
    const clock = new VirtualClock()
    const redis = new SimulatedWindow(clock)
    const servers = [1, 2, 3].map(() => start(t, clock, { redis }))
    const spot = new RateLimit(30)
    let refusals = 0
    const pass = ({ stage }: typeof servers[number]) => watch(stage(callOf(clock), async () => {
      await sleep(clock, 20)
      const { limit, remaining, blocked } = spot.count('route', clock.now())
      if (blocked) refusals++
      return answer(quota(limit, remaining))
    }))
    const results = [...Array(40).keys()].flatMap(() => servers.map(pass))
    await clock.advance(5000)
    t.strictSame([refusals, results.filter(({ word }) => word === 'success').length], [0, 27], 'all but the reserve')
  })

  t.test('a server that hears a 429 stops the others', async (t) => {
    const clock = new VirtualClock()
    const redis = new SimulatedWindow(clock)
    const [one, two] = [start(t, clock, { redis }), start(t, clock, { redis })]
    const call = callOf(clock)
    await settled(clock, one.stage(call, async () => { throw failure(call, 'rate-limited', { quota: blocked(5000) }) }))
    t.equal((await settled(clock, two.stage(callOf(clock), never))).word, 'rate-limited')
  })

  t.test('one that loses the others goes on alone after 200 ms, once, and comes back', async (t) => {
    const clock = new VirtualClock()
    const redis = new SimulatedWindow(clock)
    const { stage, events, limit } = start(t, clock, { redis })
    limit.open()
    const pass = () => watch(stage(callOf(clock), async () => answer(quota(10, 5))))
    const first = pass()
    await clock.settle()
    t.equal(first.word, 'success')
    t.equal(redis.remaining, 5)
    redis.mode = 'hangs'
    const second = pass()
    await clock.advance(199)
    t.equal(second.word, 'pending')
    await clock.advance(1)
    t.equal(second.word, 'success')
    const third = pass()
    await clock.settle()
    t.equal(third.word, 'success', 'the next one does not wait')
    t.strictSame(events, ['alone'])
    await clock.advance(10_000)
    t.strictSame(events, ['alone'])
    redis.mode = 'up'
    for (const release of redis.release) release()
    await clock.settle()
    t.equal(redis.remaining, 5, 'a place that came too late is given back')
    await clock.advance(2000)
    t.strictSame(events, ['alone', 'shared'])
    t.equal((await settled(clock, stage(callOf(clock), async () => answer()))).word, 'success')
  })

  t.test('one that starts without the others says so, and goes', async (t) => {
    const clock = new VirtualClock()
    const redis = new SimulatedWindow(clock)
    redis.mode = 'down'
    const { stage, events } = start(t, clock, { redis })
    t.equal((await settled(clock, stage(callOf(clock), async () => answer()))).word, 'success')
    t.strictSame(events, ['alone'])
  })

  t.test('one that was told of a block keeps it, whatever is shared', async (t) => {
    const clock = new VirtualClock()
    const redis = new SimulatedWindow(clock)
    const { stage } = start(t, clock, { redis })
    const call = callOf(clock)
    let answerFirst = (_error: SpotError) => {}
    watch(stage(call, () => new Promise((_resolve, reject) => { answerFirst = reject })))
    await clock.settle()
    redis.leave = async () => {} // as if it forgot
    redis.mode = 'hangs'
    const asked = watch(stage(callOf(clock), never))
    answerFirst(failure(call, 'rate-limited', { quota: blocked(5000) }))
    await clock.settle()
    for (const release of redis.release) release()
    redis.mode = 'up'
    await clock.settle()
    t.equal(asked.word, 'rate-limited', 'even if it was told while it asked')
    t.equal((await settled(clock, stage(callOf(clock), never))).word, 'rate-limited')
  })
})

t.test('through Redis', { skip: noRedis }, async (t) => {
  t.test('two servers share one limit, and each goes on alone when Redis stops', async (t) => {
    const clock = new VirtualClock()
    const server = await startRedis(t)
    const servers = [1, 2].map(() => start(t, clock, { redis: server.url }))
    const spot = new RateLimit(20)
    const pass = ({ stage }: typeof servers[number], operation = 'getElastigroup') =>
      stage(callOf(clock, { operation }), async () => {
        const { limit, remaining } = spot.count(operation, clock.now())
        return answer(quota(limit, remaining))
      }).then(() => 'success', ({ outcome }) => outcome)
    for (const server of servers) await pass(server)
    const words = await Promise.all([...Array(20).keys()].flatMap(() => servers.map((server) => pass(server))))
    t.equal(words.filter((word) => word === 'success').length, 18 - servers.length)
    t.equal(words.filter((word) => word === 'rate-limited').length, 40 - 18 + servers.length)

    await server.stop()
    const alone = await Promise.all([1, 2, 3].flatMap(() => servers.map((server) => pass(server, 'listElastigroups'))))
    t.strictSame(alone, Array(6).fill('success'))
    await server.start()
    await until(async () => {
      await clock.advance(1000)
      return servers.every(({ events }) => events.includes('shared'))
    })
    for (const { events } of servers) {
      t.strictSame(events.filter((event) => typeof event === 'string'), ['alone', 'shared'])
    }
    t.equal(await pass(servers[0] as typeof servers[number], 'listElastigroups'), 'success')
  })

  t.test('a server that dies leaves its sends for their lease and the window', async (t) => {
    const { url } = await startRedis(t)
    let now = 1_000_000
    const window = new RedisWindow(url, () => now)
    await window.connect()
    t.teardown(() => window.close())
    const ask = { client: '', share: 1, reserved: false, ahead: 0, aheadOwn: 0, lease: 5000 }
    const first = await window.enter('route', ask)
    await window.leave('route', '', first as Parameters<typeof window.leave>[2], quota(1, 0))
    now += KEPT
    t.notMatch(await window.enter('route', ask), { wait: Number }, 'it goes, and its server dies')
    now += 5000 + KEPT - 1
    t.match(await window.enter('route', ask), { wait: 1 })
    now += 1
    t.notMatch(await window.enter('route', ask), { wait: Number })
  })

  t.test('a call that was sent without Redis counts once Redis is back', async (t) => {
    const { url } = await startRedis(t)
    const window = new RedisWindow(url)
    await window.connect()
    t.teardown(() => window.close())
    await window.leave('route', '', undefined, quota(1, 0))
    const ask = { client: '', share: 1, reserved: false, ahead: 0, aheadOwn: 0, lease: 5000 }
    const { wait } = await window.enter('route', ask) as { wait: number }
    t.ok(wait > 50_000 && wait <= KEPT, 'by the clock of Redis')
    await window.leave('other', '', undefined, blocked(5000))
    t.match(await window.enter('other', ask), { wait: Number })
  })
})
