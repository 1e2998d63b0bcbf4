import fc from 'fast-check'
import t from 'tap'
import { RateLimit } from '../sandbox/protocol/rate-limit.js'
import type { Call } from '../services/spot/call.js'
import { sleep } from '../services/spot/clock.js'
import { SpotError } from '../services/spot/error.js'
import { createLimit } from '../services/spot/stages/limit/index.js'
import { SEND_COUNTS_FOR } from '../services/spot/stages/limit/window.js'
import type { Quota } from '../services/spot/wire/quota.js'
import { quota } from './limit-cases.js'
import { answer, callOf, failure, organization, start, watch } from './limit-stage.js'
import { VirtualClock } from './virtual-clock.js'

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
  /** Sends between a 429 that was received and its reset. */
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
      const ours = underWay + ended.filter((at) => at + SEND_COUNTS_FOR > clock.now()).length +
        late.filter((at) => at + 2 * SEND_COUNTS_FOR > clock.now()).length
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

t.test('while nobody else uses the limit of Spot, there is never a 429, and none of the limit is wasted', async (t) => {
  const total = { sent: 0 }
  await fc.assert(fc.asyncProperty(limits, fc.boolean(), moves(0), async (limit, down, list) => {
    const { refusals, needless, goesOn, sent } = await play(limit, down, list)
    total.sent += sent
    return refusals === 0 && needless === 0 && goesOn
  }), { numRuns: RUNS })
  t.ok(total.sent > RUNS, `${total.sent} calls were sent`)
})

t.test('whoever else uses the limit, nothing is sent before a reset, and calls go on after it', async (t) => {
  const total = { sent: 0, refusals: 0 }
  await fc.assert(fc.asyncProperty(limits, fc.boolean(), moves(8), async (limit, down, list) => {
    const { refusals, trespasses, goesOn, sent } = await play(limit, down, list)
    total.sent += sent
    total.refusals += refusals
    return trespasses === 0 && goesOn
  }), { numRuns: RUNS })
  t.ok(total.refusals > 0, `of ${total.sent} calls, Spot refused ${total.refusals}`)
})

t.test('a reset that Spot rounds down causes one 429, not many', async (t) => {
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

t.test('while others use half of the limit, we use the rest, and Spot refuses few calls', async (t) => {
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
