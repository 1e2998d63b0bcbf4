import t from 'tap'
import { RateLimit } from '../sandbox/protocol/rate-limit.js'
import { sleep, type Clock } from '../services/spot/clock.js'
import { SpotError } from '../services/spot/error.js'
import { RedisWindow } from '../services/spot/stages/limit/redis-window.js'
import type { SharedWindow } from '../services/spot/stages/limit/shared.js'
import { SEND_COUNTS_FOR, RouteWindow } from '../services/spot/stages/limit/window.js'
import { blocked, quota } from './limit-cases.js'
import { answer, callOf, failure, never, settled, start, watch } from './limit-stage.js'
import { noRedis, startRedis } from './redis.js'
import { until } from './until.js'
import { VirtualClock } from './virtual-clock.js'

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
  t.test('use all of the limit together, and no more', async (t) => {
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

  t.test('a 429 to one server stops the others', async (t) => {
    const clock = new VirtualClock()
    const redis = new SimulatedWindow(clock)
    const [one, two] = [start(t, clock, { redis }), start(t, clock, { redis })]
    const call = callOf(clock)
    await settled(clock, one.stage(call, async () => { throw failure(call, 'rate-limited', { quota: blocked(5000) }) }))
    t.equal((await settled(clock, two.stage(callOf(clock), never))).word, 'rate-limited')
  })

  t.test('a server that loses the others continues alone after 200 ms, logs it once, and comes back', async (t) => {
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

  t.test('a call whose deadline passes while Redis is asked does not hold up later calls', async (t) => {
    const clock = new VirtualClock()
    const redis = new SimulatedWindow(clock)
    const { stage } = start(t, clock, { redis })
    // While no limit is known, ten may be under way.
    const ends: (() => void)[] = []
    for (let n = 0; n < 10; n++) {
      watch(stage(callOf(clock), () => new Promise((resolve) => ends.push(() => resolve(answer())))))
    }
    const givesUp = watch(stage(callOf(clock, { deadline: clock.now() + 100 }), never))
    await clock.settle()

    redis.mode = 'hangs'
    ends[0]?.()
    await clock.settle()
    const [isBack, isAsked] = redis.release.splice(0)
    await clock.advance(100)
    t.equal(givesUp.word, 'expired')
    const comes = watch(stage(callOf(clock), async () => answer()))
    await clock.settle()
    redis.release.shift()?.()
    await clock.settle()
    t.equal(comes.word, 'pending', 'ten are under way as far as anybody knows')
    isBack?.()
    await clock.settle()
    redis.mode = 'up'
    isAsked?.()
    await clock.settle()
    t.equal(comes.word, 'success')
  })

  t.test('a server that starts without the others logs that, and sends alone', async (t) => {
    const clock = new VirtualClock()
    const redis = new SimulatedWindow(clock)
    redis.mode = 'down'
    const { stage, events } = start(t, clock, { redis })
    t.equal((await settled(clock, stage(callOf(clock), async () => answer()))).word, 'success')
    t.strictSame(events, ['alone'])
  })

  t.test('a server that got a 429 stays blocked, whatever the others share', async (t) => {
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
    t.equal(asked.word, 'rate-limited', 'even if it learned of it while it asked')
    t.equal((await settled(clock, stage(callOf(clock), never))).word, 'rate-limited')
  })
})

t.test('servers that share a limit through Redis', { skip: noRedis }, async (t) => {
  t.test('two servers share one limit, and each continues alone when Redis stops', async (t) => {
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

  t.test('the calls of a server that dies count for their lease and the window', async (t) => {
    const { url } = await startRedis(t)
    let now = 1_000_000
    const window = new RedisWindow(url, () => now)
    await window.connect()
    t.teardown(() => window.close())
    const ask = { client: '', share: 1, reserved: false, ahead: 0, aheadOwn: 0, lease: 5000 }
    const first = await window.enter('route', ask)
    await window.leave('route', '', first as Parameters<typeof window.leave>[2], quota(1, 0))
    now += SEND_COUNTS_FOR
    t.notMatch(await window.enter('route', ask), { wait: Number }, 'it goes, and its server dies')
    now += 5000 + SEND_COUNTS_FOR - 1
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
    t.ok(wait > 50_000 && wait <= SEND_COUNTS_FOR, 'by the clock of Redis')
    await window.leave('other', '', undefined, blocked(5000))
    t.match(await window.enter('other', ask), { wait: Number })
  })
})
