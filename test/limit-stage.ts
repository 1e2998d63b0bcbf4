import type { Test } from 'tap'
import type { Answer } from '../services/spot/answer.js'
import type { Call } from '../services/spot/call.js'
import type { Clock } from '../services/spot/clock.js'
import { SpotError, type SpotFailure } from '../services/spot/error.js'
import { createLimit, type LimitOptions } from '../services/spot/stages/limit/index.js'
import type { Quota } from '../services/spot/wire/quota.js'
import type { VirtualClock } from './virtual-clock.js'

/** Milliseconds of a read's deadline. */
const DEADLINE = 20_000

export const organization = { name: 'demo', id: 'organization' }

/** A limit with its stage, and the events that it reported. */
export function start (t: Test, clock: Clock, options: Partial<LimitOptions> = {}) {
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

export const callOf = (clock: Clock, part: Partial<Call> = {}): Call => ({
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

export const answer = (quota?: Quota): Answer => ({ items: [], size: 0, source: 'spot', askedAt: 0, calls: 1, quota })
export const failure = (call: Call, outcome: SpotFailure['outcome'], part: Partial<SpotFailure> = {}) =>
  new SpotError({ call, outcome, calls: 1, ...part })
export const never = () => new Promise<never>(() => {})

/** One word for how a call came out, as soon as it has. */
export function watch (result: Promise<Answer>) {
  const watched: { word: string, error?: SpotError } = { word: 'pending' }
  result.then(
    () => { watched.word = 'success' },
    (error: SpotError) => Object.assign(watched, { word: error.outcome, error }))
  return watched
}

/** What became of a call once all that was due by now has happened. */
export async function settled (clock: VirtualClock, result: Promise<Answer>) {
  const watched = watch(result)
  await clock.settle()
  return watched
}
