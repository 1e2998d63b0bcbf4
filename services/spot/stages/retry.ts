import type { Answer } from '../answer.js'
import { isWrite, type Call } from '../call.js'
import { sleep, type Clock } from '../clock.js'
import { SpotError } from '../error.js'
import type { Stage } from '../stage.js'
import { outcomes } from '../wire/outcomes.js'
import { RetryBudget } from './retry-budget.js'

/** Attempts at most. A delete that failed is sent once more: it may be repeated. */
const ATTEMPTS = { GET: 3, PUT: 3, POST: 3, DELETE: 2 }

/** Milliseconds to wait at most before the second attempt; twice that before the third. */
const PAUSE = 100

/**
 * Sends a call as often as is safe: again only with proof that it never left, or where it may be repeated
 * (`wire/outcomes.ts` has it row by row), within the deadline, and within a budget.
 *
 * @param random from 0 to 1, for the jitter of the pauses
 */
export function retry (clock: Clock, random: () => number): Stage {
  const budget = new RetryBudget()
  return async (call, next) => {
    const attempts = ATTEMPTS[call.method]
    let calls = 0
    let uncertain: SpotError | undefined
    let lastError: SpotError | undefined
    budget.call(clock.now())
    for (let count = 1; ; count++) {
      const left = call.deadline - clock.now()
      try {
        if (left <= 0) throw lastError ?? new SpotError({ call, outcome: 'expired' })
        const answer = await next({ ...call, deadline: clock.now() + timeoutOf(call, left, count === attempts) })
        return { ...answer, calls: calls + answer.calls }
      } catch (error) {
        if (!(error instanceof SpotError)) throw error
        calls += error === lastError ? 0 : error.calls
        // The attempt before may have deleted it.
        if (uncertain && call.method === 'DELETE' && error.outcome === 'not-found') return gone(error, clock, calls)
        if (error === lastError || count === attempts || !mayRepeat(call, error) || !budget.take()) {
          // That this attempt changed nothing does not say so of the one before.
          throw uncertain && isWrite(call) && error.changedNothing
            ? uncertain.with({ calls })
            : error.with({ calls })
        }
        lastError = error
        if (error.outcome !== 'unsent') uncertain = error
        await sleep(clock, random() * Math.min(PAUSE * 2 ** (count - 1), (call.deadline - clock.now()) / 4))
      }
    }
  }
}

/** The answer to a delete that an attempt before has carried out. */
const gone = ({ requestId }: SpotError, clock: Clock, calls: number): Answer =>
  ({ items: [], size: 0, source: 'spot', askedAt: clock.now(), requestId, calls })

/**
 * Milliseconds an attempt may take. Reads and deletes leave half of the time for another attempt; a write that may not
 * be repeated gets all of it.
 */
const timeoutOf = (call: Call, left: number, isLastAttempt: boolean) =>
  isLastAttempt || !isRepeatable(call) ? left : left / 2

const isRepeatable = (call: Call) => !isWrite(call) || call.method === 'DELETE'

function mayRepeat (call: Call, { outcome }: SpotError): boolean {
  const { again } = outcomes[outcome]
  return again === 'any' || (again === 'repeatable' && isRepeatable(call))
}
