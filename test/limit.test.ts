import t from 'tap'
import { RateLimit } from '../sandbox/protocol/rate-limit.js'
import type { Answer } from '../services/spot/answer.js'
import { sleep } from '../services/spot/clock.js'
import { SEND_COUNTS_FOR } from '../services/spot/stages/limit/window.js'
import { blocked, quota } from './limit-cases.js'
import { answer, callOf, failure, never, settled, start, watch } from './limit-stage.js'
import { VirtualClock } from './virtual-clock.js'

t.test('calls that pass the rate limit', async (t) => {
  const clock = new VirtualClock()

  t.test('while no limit is known, two creates go at once, though both hang', async (t) => {
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

  t.test('a call that would wait over two seconds is refused at once', async (t) => {
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
    t.strictSame(limit.usage(), [{
      labels: { organization: 'demo', route: 'getElastigroup', method: 'GET' }, remaining: 0, blockedSeconds: 1
    }])
    await clock.advance(60_000)
    t.strictSame(events.slice(1), [['unblocked', 'getElastigroup', 61]])
    t.match(limit.usage(), [{ remaining: 1, blockedSeconds: 61 }])
  })

  t.test('calls that wait go in their order, once there is room', async (t) => {
    const { stage } = start(t, clock)
    for (const remaining of [1, 0]) {
      await stage(callOf(clock), async () => answer(quota(2, remaining)))
      await clock.advance(500)
    }
    await clock.advance(SEND_COUNTS_FOR - 2000)
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
    await clock.advance(SEND_COUNTS_FOR - 1850)
    const pass = (client: string) => watch(stage(callOf(clock, { client }), async () => answer()))
    const many = Array.from({ length: 18 }, () => pass('many'))
    const one = pass('one')
    await clock.advance(150)
    t.strictSame([many.filter(({ word }) => word === 'success').length, one.word], [1, 'success'])
  })

  t.test('a client that waits for its own share does not delay other clients', async (t) => {
    const { stage } = start(t, clock, { shareOf: () => 0.5 })
    const pass = (client: string) => watch(stage(callOf(clock, { client }), async () => answer(quota(4, 3))))
    pass('one')
    await clock.settle()
    pass('one')
    await clock.advance(10_000)
    pass('other')
    await clock.advance(SEND_COUNTS_FOR - 11_000)
    const [held, free] = [pass('one'), pass('other')]
    await clock.settle()
    t.strictSame([held.word, free.word], ['pending', 'success'])
  })

  t.test('a call whose deadline passes while it waits was not sent', async (t) => {
    const { stage } = start(t, clock)
    for (let count = 0; count < 10; count++) watch(stage(callOf(clock), never))
    const results = [1000, -1].map((left) => watch(stage(callOf(clock, { deadline: clock.now() + left }), never)))
    await clock.advance(1000)
    for (const { word, error } of results) t.strictSame([word, error?.calls], ['expired', 0])
    const next = watch(stage(callOf(clock), async () => answer()))
    await clock.advance(1000)
    t.equal(next.word, 'success', 'and holds up nobody')
  })

  t.test('a 429 refuses the calls that wait, and a probe that succeeds lets later ones go', async (t) => {
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
t.test('a client with 1,100 calls does not starve the others', async (t) => {
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
