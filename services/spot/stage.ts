import type { Answer } from './answer.js'
import type { Call } from './call.js'

/** The rest of a call's way. @throws {SpotError} when the call does not succeed */
export type Next = (call: Call) => Promise<Answer>

/** One concern on the way of a call to Spot. It knows nothing of its neighbours. */
export type Stage = (call: Call, next: Next) => Promise<Answer>

/** The stages in the order in which a call passes them, the last of which talks to Spot. */
export const compose = (stages: Stage[], last: Next): Next =>
  stages.reduceRight<Next>((next, stage) => (call) => stage(call, next), last)
