import { Problem, type ProblemDetails } from '../problems.js'

/** What a key stands in the way of, by the event. */
export const problems = {
  'in-use': {
    problem: 'idempotency-key-in-use',
    detail: 'A request with this Idempotency-Key is under way.',
    hint: 'Wait as many seconds as Retry-After says, then send the same request again: it gets the same answer.',
    headers: { 'retry-after': '2' }
  },
  reused: {
    problem: 'idempotency-key-reused',
    detail: 'This Idempotency-Key came with another body or path before.',
    hint: 'Use a new key for a new request, and the same body with the same key.'
  },
  unavailable: {
    problem: 'state-unavailable',
    detail: 'This server can not write down the Idempotency-Key now, so it sent nothing to Spot.',
    hint: 'Try again after Retry-After. Without a key the create works, but is not safe to repeat.',
    headers: { 'retry-after': '5' }
  }
} as const

/** Whether it is certain that nothing was created. */
export const isRefusal = (error: unknown) => error instanceof Problem &&
  !['outcome-unknown', 'spot-create-failed', 'internal-error'].includes(error.problem)

/** @param canLook whether the same key finds out */
export const unknown = (details: ProblemDetails, canLook: boolean) =>
  withHint(new Problem('outcome-unknown', details), canLook)

/** The same problem, with what to do about it. */
export const withHint = ({ problem, details }: Problem, canLook: boolean) => new Problem(problem, {
  ...details,
  hint: canLook
    ? 'Send the same request with the same key again: this server then looks whether Spot created it, and creates it ' +
      'only if not.'
    : 'This key can not find out. Look whether it was created; only if not, send it again with a new key.'
})
