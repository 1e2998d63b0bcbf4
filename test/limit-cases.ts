import type { Ask, Refusal, Send, Feedback } from '../services/spot/stages/limit/window.js'
import type { Quota } from '../services/spot/wire/quota.js'

/** The rules for one route, as memory and Redis have them. Times are milliseconds. */
export interface Rules {
  enter (now: number, ask: Ask): Send | Refusal | Promise<Send | Refusal>
  leave (now: number, send: Send, feedback: Feedback): void | Promise<void>
}

/** Time is set; a call asks to be sent; it ends. */
type Step =
  | { at: number }
  | { ask: string, by?: Partial<Ask>, want: 'goes' | { wait: number, held?: boolean } }
  | { end: string, feedback: Feedback }

const at = (now: number): Step => ({ at: now })
const goes = (ask: string, by: Partial<Ask> = {}): Step => ({ ask, by, want: 'goes' })
const waits = (wait: number, by: Partial<Ask> = {}): Step => ({ ask: 'nobody', by, want: { wait } })
const held = (wait: number, by: Partial<Ask> = {}): Step => ({ ask: 'nobody', by, want: { wait, held: true } })
const ends = (end: string, feedback: Feedback): Step => ({ end, feedback })
const sends = (count: number, by: Partial<Ask> = {}, name = 's'): Step[] =>
  Array.from({ length: count }, (_, index) => goes(`${name}${index}`, by))
const end = (count: number, feedback: (index: number) => Feedback, name = 's'): Step[] =>
  Array.from({ length: count }, (_, index) => ends(`${name}${index}`, feedback(index)))

/** What Spot tells. */
export const quota = (limit: number, remaining: number, reset = 60_000): Quota =>
  ({ limit, remaining, reset, blocked: false })
export const blocked = (reset: number, limit?: number): Quota => ({ limit, remaining: 0, reset, blocked: true })
const noLimit = quota(Infinity, Infinity, 0)

/** A first call that tells of a limit, with nobody else. It is ten minutes old when the case begins at 0. */
const known = (limit: number): Step[] =>
  [at(-600_000), goes('first'), ends('first', quota(limit, limit - 1)), at(0)]

/** Every rule as a sequence, that memory and Redis must both follow. */
export const CASES: [name: string, steps: Step[]][] = [
  // What is not known
  ['ten calls go at once while no limit is known', [...sends(10), waits(2000)]],
  ['a call that hangs counts for two seconds only', [
    ...sends(10), at(1999), waits(1), at(2000), ...sends(10, {}, 't')
  ]],
  ['a call that ends makes room for one', [...sends(10), at(10), ends('s3', undefined), goes('t'), waits(1990)]],
  ['calls that wait in front count', [...sends(8), waits(2000, { ahead: 2 }), goes('t', { ahead: 1 })]],
  ['where Spot states no limit there is none', [goes('a'), ends('a', noLimit), ...sends(200)]],
  ['an answer without a limit does not take back the one that Spot stated', [
    ...known(1), goes('a'), ends('a', noLimit), waits(61_000)
  ]],
  ['a limit that Spot states applies, though answers before had none', [
    goes('a'), ends('a', noLimit), at(1), goes('b'), ends('b', quota(2, 0)), waits(60_999)
  ]],

  // The window of our own sends
  ['a call counts until 61 s after its end', [
    ...known(1), goes('a'), waits(61_000), at(5000), ends('a', quota(1, 0)), waits(61_000),
    at(65_999), waits(1), at(66_000), goes('b')
  ]],
  ['a call whose answer was lost counts as well', [
    ...known(1), goes('a'), ends('a', undefined), waits(61_000), at(61_000), goes('b')
  ]],
  ['a call that never reached Spot does not count', [...known(1), goes('a'), ends('a', 'unsent'), goes('b')]],
  ['a limit is not forgotten when idle', [...known(1), at(3_600_000), goes('a'), waits(61_000)]],
  ['a limit is forgotten after a day', [...known(1), at(86_400_000), goes('a'), goes('b')]],
  ['a call with others in front waits for as many places', [
    ...known(3), goes('a'), goes('b'), goes('c'), ends('a', quota(3, 2)), at(10), ends('b', quota(3, 1)),
    at(20), ends('c', quota(3, 0)), waits(60_980), waits(60_990, { ahead: 1 }), waits(61_000, { ahead: 2 })
  ]],
  ['the answer to the most recent call tells the limit', [
    ...known(5), goes('a'), at(1), goes('b'), ends('b', quota(3, 2)), ends('a', quota(5, 4)), goes('c'), waits(61_000)
  ]],

  // What others use
  ['what others use of the limit is not used', [
    ...known(9), goes('a'), ends('a', quota(9, 2)), goes('b'), goes('c'), waits(60_000)
  ]],
  ['what others use is kept free for 60 s', [
    ...known(9), goes('a'), ends('a', quota(9, 0)), at(59_999), waits(1), at(60_000), goes('b')
  ]],
  ['each answer tells anew what others use', [
    ...known(9), goes('a'), ends('a', quota(9, 1)), at(1), goes('b'), ends('b', quota(9, 7)), ...sends(7),
    waits(60_999)
  ]],
  ['calls at once are not taken for those of others', [
    ...known(8), ...sends(6), at(5), ...end(6, (index) => quota(8, 7 - index)), goes('a'), goes('b'), waits(61_000)
  ]],
  ['calls at once are not taken for those of others, in whatever order their answers come', [
    ...known(8), ...sends(6), at(5), ...end(6, (index) => quota(8, 2 + index)), goes('a'), goes('b'), waits(61_000)
  ]],
  ['the last of a burst tells what others use', [
    ...known(9), ...sends(4), at(5), ...end(4, (index) => quota(9, 5 - index)), goes('a'), goes('b'), waits(60_000)
  ]],
  ['an answer that was overtaken lowers nothing', [
    ...known(9), goes('a'), at(5), goes('b'), at(10), ends('b', quota(9, 0)), ends('a', quota(9, 8)), waits(60_000)
  ]],
  ['a call of a minute ago is not counted by Spot any more', [
    ...known(9), goes('a'), ends('a', quota(9, 8)), at(60_500), goes('b'), ends('b', quota(9, 6)), ...sends(5),
    waits(500)
  ]],
  ['a call that never reached Spot is not counted by Spot', [
    ...known(9), goes('a'), ends('a', 'unsent'), at(30_000), goes('b'), ends('b', quota(9, 1)),
    at(60_500), goes('c'), ends('c', quota(9, 7)), ...sends(7), waits(30_500)
  ]],

  // Reserve and share
  ['a tenth is kept for guards', [...known(20), ...sends(18), waits(61_000), ...sends(2, { reserved: true }, 'g'),
    waits(61_000, { reserved: true })]],
  ['a client holds no more than its share', [
    ...known(9), ...sends(5, { client: 'a', share: 0.5 }), held(61_000, { client: 'a', share: 0.5 }),
    ...sends(4, { client: 'b', share: 0.5 }, 'b'), waits(61_000, { client: 'b', share: 0.5 })
  ]],
  ['a client may send one in any case', [...known(9), goes('a', { share: 0.01 }), held(61_000, { share: 0.01 })]],
  ['guards of a client may use the reserve beyond its share', [
    ...known(20), ...sends(10, { share: 0.5 }), held(61_000, { share: 0.5 }),
    ...sends(2, { share: 0.5, reserved: true }, 'g'), held(61_000, { share: 0.5, reserved: true })
  ]],
  ['a client gets its place back when its own call leaves the window', [
    ...known(9), goes('b', { client: 'b' }), at(10), goes('a', { share: 0.1 }), ends('b', quota(9, 8)),
    at(20), ends('a', quota(9, 7)), held(61_000, { share: 0.1 }), at(61_019), held(1, { share: 0.1 }),
    at(61_020), goes('c', { share: 0.1 })
  ]],

  // 429
  ['after a 429 nothing goes until its reset and a second', [
    ...known(9), goes('a'), ends('a', blocked(3000, 9)), waits(4000), at(3999), waits(1), at(4000), goes('b')
  ]],
  ['after the pause one call probes, and one more each two seconds if it hangs', [
    ...known(9), goes('a'), ends('a', blocked(0)), at(1000), goes('p'), waits(2000), at(2999), waits(1), at(3000),
    goes('q'), waits(2000)
  ]],
  ['a probe that succeeds ends the block', [
    ...known(9), goes('a'), ends('a', blocked(0)), at(1000), goes('p'), ends('p', quota(9, 7)), ...sends(7),
    waits(61_000 - 1000)
  ]],
  ['a probe whose answer has no limit does not end the block', [
    ...known(9), goes('a'), ends('a', blocked(0)), at(1000), goes('p'), ends('p', undefined), waits(2000),
    at(3000), goes('q')
  ]],
  ['a probe that never left is replaced by the next call', [
    ...known(9), goes('a'), ends('a', blocked(0)), at(1000), goes('p'), ends('p', 'unsent'), goes('q'), waits(2000)
  ]],
  ['the call that waits in front probes first', [
    ...known(9), goes('a'), ends('a', blocked(0)), at(1000), waits(0, { ahead: 1 }), goes('p')
  ]],
  ['each 429 to a probe doubles the pause', [
    ...known(9), goes('a'), ends('a', blocked(0)), at(1000), goes('p'), ends('p', blocked(0)), waits(2000),
    at(3000), goes('q'), ends('q', blocked(500)), waits(4500), at(7500), goes('r'), ends('r', blocked(0)), waits(8000)
  ]],
  ['the pause doubles up to a minute', [
    ...known(99), ...[...Array(12).keys()].flatMap((index) => [
      at(index * 100_000), goes(`p${index}`), ends(`p${index}`, blocked(0))
    ]), waits(60_000)
  ]],
  ['a success resets the pause', [
    ...known(9), goes('a'), ends('a', blocked(0)), at(1000), goes('p'), ends('p', blocked(0)), at(3000), goes('q'),
    ends('q', quota(9, 5)), at(3001), goes('b'), ends('b', blocked(0)), waits(1000)
  ]],
  ['several 429 of one burst count as one', [
    ...known(9), ...sends(4), at(5), ...end(4, () => blocked(0)), waits(1000)
  ]],
  ['a success of a call from before the block does not end it', [
    ...known(9), goes('a'), goes('b'), ends('a', blocked(5000)), at(10), ends('b', quota(9, 8)), waits(5990),
    at(6000), goes('p'), waits(2000)
  ]],
  ['an old probe does not end a later block', [
    ...known(9), goes('a'), ends('a', blocked(0)), at(1000), goes('p'), at(3000), goes('q'),
    ends('q', blocked(5000)), at(3010), ends('p', quota(9, 8)), waits(6990)
  ]],
  ['the longest of several blocks holds', [
    ...known(9), goes('a'), goes('b'), ends('a', blocked(9000)), ends('b', blocked(1000)), waits(10_000)
  ]],
  ['a probe goes, however much others used', [
    ...known(4), goes('a'), goes('b'), ends('a', quota(4, 0)), ends('b', blocked(0)), at(1000), goes('p')
  ]],
  ['a probe that succeeds lets no more go than our own calls leave room for', [
    ...known(4), goes('a'), ends('a', quota(4, 0)), at(60_000), goes('b'), ends('b', blocked(0)), at(61_000), goes('p'),
    ends('p', quota(4, 1)), goes('c'), ends('c', blocked(0, 3)), at(62_000), waits(121_000 - 62_000)
  ]],
  ['a 429 where no limit is known blocks as well', [goes('a'), ends('a', blocked(60_000)), waits(61_000)]]
]

/** The steps of a case that did not come out as they should, in words; none when all is well. */
export async function failuresOf (steps: Step[], rules: Rules, zero: number): Promise<string[]> {
  const open = new Map<string, Send>()
  const failures: string[] = []
  let now = zero
  for (const [index, step] of steps.entries()) {
    if ('at' in step) {
      now = zero + step.at
    } else if ('end' in step) {
      await rules.leave(now, open.get(step.end) as Send, step.feedback)
    } else {
      const ask = { client: '', share: 1, reserved: false, ahead: 0, aheadOwn: 0, lease: 30_000, ...step.by }
      const reply = await rules.enter(now, ask)
      const got = 'wait' in reply ? { wait: reply.wait, held: reply.held } : 'goes'
      if (got === 'goes') open.set(step.ask, reply as Send)
      const want = step.want === 'goes' ? step.want : { wait: step.want.wait, held: step.want.held ?? false }
      if (JSON.stringify(got) !== JSON.stringify(want)) {
        failures.push(`step ${index} at ${now - zero}: ${JSON.stringify(got)} instead of ${JSON.stringify(want)}`)
      }
    }
  }
  return failures
}
