import { Problem } from '../problems/index.js'
import { SpotError } from '../spot/error.js'

/** Problems of a request with a key, by the event. */
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
    detail: 'This server cannot store the Idempotency-Key now, so it sent nothing to Spot.',
    hint: 'Try again after Retry-After. Without a key the create works, but is not safe to repeat.',
    headers: { 'retry-after': '5' }
  }
} as const

export const duplicates = (paths: string[]) => new Problem('duplicates-found', {
  detail: `Spot has ${paths.length} resources that were made with this key.`,
  hint: `Delete all but one of ${paths.join(', ')}, then send the request again.`
})

/** The create was sent, and there is no marker to search for. */
export const unmarked = () => unknown('What came of the request with this key is not known.', false)

export const cannotSearch = () =>
  unknown('What came of the request with this key is not known, and this server cannot find out now.', true)

/** @param wait milliseconds until a search is conclusive */
export const notYet = (wait: number) =>
  unknown('What came of this request is not known yet: Spot does not show it, but may still do it.', true, {
    'retry-after': String(Math.max(1, Math.ceil(wait / 1000)))
  })

const unknown = (detail: string, canSearch: boolean, headers?: Record<string, string>) =>
  withHint(new Problem('outcome-unknown', { detail, ...headers && { headers } }), canSearch)

/** The same problem, with what to do. @param canSearch whether the same key finds out */
export const withHint = ({ problem, details }: Problem, canSearch: boolean) => new Problem(problem, {
  ...details,
  hint: canSearch
    ? 'Send the same request with the same key again: this server then looks whether Spot created it, and creates it ' +
      'only if not.'
    : 'This key cannot find out. Look whether it was created; only if not, send it again with a new key.'
})

/** Whether a failed attempt certainly made nothing. */
export function isCertainFailure (error: unknown): boolean {
  if (error instanceof SpotError) return error.changedNothing
  return error instanceof Problem && !['outcome-unknown', 'internal-error'].includes(error.problem)
}
