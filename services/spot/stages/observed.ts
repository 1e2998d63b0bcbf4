import { kindOf, type CallKind } from '../call.js'
import type { Clock } from '../clock.js'
import { SpotError } from '../error.js'
import type { Stage } from '../stage.js'
import type { Outcome } from '../wire/outcomes.js'

/** What every attempt came to, for logs and metrics. `seconds` is its length. */
export type Observe = (attempt: {
  operation: string
  kind: CallKind
  outcome: Outcome
  seconds: number
  error?: SpotError
}) => void

/** Shows each attempt to who counts them, and changes nothing. */
export const observed = (observe: Observe, clock: Clock): Stage => async (call, next) => {
  const of = { operation: call.operation, kind: kindOf(call) }
  const began = clock.now()
  const seconds = () => (clock.now() - began) / 1000
  try {
    const answer = await next(call)
    observe({ ...of, outcome: 'success', seconds: seconds() })
    return answer
  } catch (error) {
    if (error instanceof SpotError) observe({ ...of, outcome: error.outcome, seconds: seconds(), error })
    throw error
  }
}
