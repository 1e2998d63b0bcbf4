import fc from 'fast-check'
import t from 'tap'
import { Allowance, type Ticket } from '../services/budget/allowance.js'
import { WINDOW, type Heard, type Quota } from '../services/budget/quota.js'
import { RateLimit, type Standing } from '../services/sandbox/protocol/rate-limit.js'

const quota = (remaining: number, reset = 30_000, limit = 10): Quota => ({ limit, remaining, reset, blocked: false })
const blocked = (reset: number): Quota => ({ limit: 10, remaining: 0, reset, blocked: true })

/** An allowance with a clock to turn, whose calls have the names of letters. */
function turned () {
  const allowance = new Allowance()
  const tickets = new Map<string, Ticket>()
  let now = 0
  return {
    allowance,
    at (time: number) { now = time },
    /** Asks for a call: true when it may be sent. */
    take (name: string): boolean {
      const answer = allowance.reserve(now)
      if (!('wait' in answer)) tickets.set(name, answer)
      return !('wait' in answer)
    },
    refused () {
      const answer = allowance.reserve(now)
      return 'wait' in answer ? [answer.wait, answer.hope] : undefined
    },
    told (name: string, heard: Heard) { allowance.settle(tickets.get(name) as Ticket, heard, now) }
  }
}

t.test('a call is sent where there is room for certain', async (t) => {
  type Step = (a: ReturnType<typeof turned>) => unknown
  const take = (name: string): Step => (a) => a.take(name)
  const told = (name: string, heard: Heard): Step => (a) => { a.told(name, heard) }
  const at = (time: number): Step => (a) => { a.at(time) }
  const refused: Step = (a) => a.refused()
  const left: Step = (a) => a.allowance.remaining
  const all = (...names: string[]): Step => (a) => names.every((name) => a.take(name))
  const rows: [name: string, steps: [Step, unknown?][]][] = [
    ['nothing is known: one asks, the others hope', [[take('a'), true], [take('b'), false], [refused, [0, true]]]],
    ['the first answer says how many', [[take('a')], [told('a', quota(2))], [all('b', 'c'), true], [take('d'), false]]],
    ['what is used up for long gives no hope', [
      [take('a')], [told('a', quota(1))], [take('b'), true], [refused, [30_000, false]]
    ]],
    ['an answer may not count what is on its way', [
      [take('a')], [told('a', quota(9))], [all('b', 'c', 'd')], [told('d', quota(8))], [left, 6]
    ]],
    ['nor what ended while it was on its way', [
      [take('a')], [told('a', quota(9))], [all('b', 'c')], [told('b', quota(7))], [told('c', quota(8))], [left, 7]
    ]],
    ['once nothing is on its way, the lowest is certain', [
      [take('a')], [told('a', quota(3))], [all('b', 'c')], [told('b', quota(2))], [told('c', quota(1))],
      [take('d'), true], [take('e'), false]
    ]],
    ['answers of older calls only lower it', [
      [take('a')], [told('a', quota(9))], [all('b', 'c')], [told('c', quota(4))], [told('b', quota(9))], [left, 3]
    ]],
    ['others that use the limit are noticed', [
      [take('a')], [told('a', quota(9))], [take('b')], [told('b', quota(0))], [refused, [30_000, false]]
    ]],
    ['after the reset one asks', [
      [take('a')], [told('a', quota(0, 1000))], [at(999)], [take('b'), false], [at(1000)], [take('b'), true],
      [refused, [0, true]], [told('b', quota(5))], [take('c'), true]
    ]],
    ['one that never left gives its place back', [
      [take('a')], [told('a', quota(1))], [take('b')], [told('b', 'unsent')], [take('c'), true], [take('d'), false]
    ]],
    ['and the one that asks, its turn', [
      [take('a'), true], [told('a', 'unsent')], [take('b'), true], [take('c'), false]
    ]],
    ['a lost answer takes its place with it', [
      [take('a')], [told('a', quota(2))], [take('b')], [told('b', undefined)], [left, 1]
    ]],
    ['a lost answer where nothing is known leaves it so', [[take('a')], [told('a', undefined)], [take('b'), true]]],
    ['the place of the reset, once lost, comes back with the window', [
      [take('a')], [told('a', quota(0, 1000))], [at(1000)], [take('b'), true], [told('b', undefined)],
      [refused, [WINDOW, false]]
    ]],
    ['a 429 blocks until its reset, whatever others are told', [
      [take('a')], [told('a', quota(9))], [all('b', 'c')], [told('b', blocked(5000))], [told('c', quota(8))],
      [at(4999)], [refused, [1, false]], [at(5000)], [take('d'), true]
    ]],
    ['a reset that can not be is not believed', [[take('a')], [told('a', blocked(1e12))], [refused, [600_000, false]]]],
    ['where no limit is told there is none', [
      [take('a')], [told('a', { limit: undefined, remaining: 1e9, reset: 0, blocked: false })], [all('b', 'c'), true]
    ]],
    ['a success without numbers takes back no limit', [
      [take('a')], [told('a', quota(1))], [take('b')],
      [told('b', { limit: undefined, remaining: 1e9, reset: 0, blocked: false })], [take('c'), false]
    ]]
  ]
  for (const [name, steps] of rows) {
    const a = turned()
    const done = steps.map(([step]) => step(a))
    t.strictSame(done, steps.map(([, want], i) => want ?? done[i]), name)
  }
})

t.test('a route is forgotten once all has left the window', async (t) => {
  const { allowance, take, told, at } = turned()
  take('a')
  at(5)
  t.notOk(allowance.forgotten(5 + WINDOW), 'not while a call is on its way')
  told('a', quota(3))
  t.notOk(allowance.forgotten(4 + WINDOW))
  t.ok(allowance.forgotten(5 + WINDOW))
  at(5 + WINDOW)
  take('b')
  told('b', blocked(70_000))
  t.notOk(allowance.forgotten(5 + 2 * WINDOW), 'nor while it is blocked')
})

type Move = { is: 'send' } | { is: 'wait', ms: number } | { is: 'arrive' | 'answer' | 'lose', which: number }

const moves = fc.array(fc.oneof(
  { weight: 6, arbitrary: fc.record({ is: fc.constant('send' as const) }) },
  { weight: 1, arbitrary: fc.record({ is: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 40_000 }) }) },
  { weight: 1, arbitrary: fc.record({ is: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 50 }) }) },
  { weight: 5, arbitrary: fc.record({ is: fc.constant('arrive' as const), which: fc.nat(30) }) },
  { weight: 5, arbitrary: fc.record({ is: fc.constant('answer' as const), which: fc.nat(30) }) },
  { weight: 1, arbitrary: fc.record({ is: fc.constant('lose' as const), which: fc.nat(30) }) }
), { minLength: 20, maxLength: 300 })

/** Plays a sequence against a simulated Spot, where calls arrive and are answered in any order. */
function play (limit: number, sequence: Move[]) {
  const spot = new RateLimit(limit)
  let allowance = new Allowance()
  let now = 0
  const onTheirWay: Ticket[] = []
  const served: { ticket: Ticket, standing: Standing }[] = []
  const count = { sent: 0, refused: 0, blocked: 0 }
  const heard = ({ limit, remaining, reset, blocked }: Standing): Quota =>
    ({ limit, remaining, reset: reset * 1000, blocked })
  const pick = <T>(list: T[], which: number): T | undefined => list.splice(which % (list.length || 1), 1)[0]

  for (const move of sequence) {
    if (move.is === 'wait') now += move.ms
    if (move.is === 'send') {
      if (allowance.forgotten(now)) allowance = new Allowance()
      const answer = allowance.reserve(now)
      if ('wait' in answer) count.refused++
      else count.sent = onTheirWay.push(answer) && count.sent + 1
    }
    if (move.is === 'arrive') {
      const ticket = pick(onTheirWay, move.which)
      if (!ticket) continue
      const standing = spot.count('route', now)
      if (standing.blocked) count.blocked++
      served.push({ ticket, standing })
    }
    if (move.is === 'answer') {
      const answer = pick(served, move.which)
      if (answer) allowance.settle(answer.ticket, heard(answer.standing), now)
    }
    if (move.is === 'lose') {
      // Before it left; or after it was served, once anything is known: until then only a call can tell.
      const ticket = pick(onTheirWay, move.which)
      const answer = ticket || allowance.limit === undefined ? undefined : pick(served, move.which)
      if (ticket) allowance.settle(ticket, 'unsent', now)
      if (answer) allowance.settle(answer.ticket, undefined, now)
    }
  }
  return count
}

t.test('whatever the order, Spot never answers 429', async (t) => {
  let sent = 0
  let refused = 0
  fc.assert(fc.property(fc.integer({ min: 1, max: 20 }), moves, (limit, sequence) => {
    const count = play(limit, sequence)
    sent += count.sent
    refused += count.refused
    return count.blocked === 0
  }), { numRuns: Number(process.env.SEQUENCES ?? 5000) })
  t.ok(sent > 0 && refused > 0, `${sent} calls were sent, ${refused} refused, and none too many`)
})

t.test('and the whole limit can be used', async (t) => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 50 }), fc.array(fc.nat(30), { maxLength: 200 }), (limit, order) => {
    const rounds = order.flatMap((which): Move[] =>
      [{ is: 'send' }, { is: 'send' }, { is: 'arrive', which }, { is: 'answer', which }])
    const all = Array.from({ length: 400 }, (): Move[] =>
      [{ is: 'arrive', which: 0 }, { is: 'answer', which: 0 }, { is: 'send' }]).flat()
    return play(limit, [...rounds, ...all]).sent === limit
  }), { numRuns: 500 })
  t.pass()
})
