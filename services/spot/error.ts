import { Problem, type Upstream } from '../problems/index.js'
import { pointerTo } from '../problems/pointer.js'
import { isWrite, type Call } from './call.js'
import { outcomes, type FailedOutcome, type OutcomeRow } from './wire/outcomes.js'
import { WINDOW, type Quota } from './wire/quota.js'

export interface SpotFailure {
  call: Pick<Call, 'operation' | 'method' | 'envelope'>
  outcome: FailedOutcome
  /** Code of the transport error, such as `ECONNREFUSED`. */
  code?: string
  upstream?: Upstream
  /** Calls that were sent to Spot; default: 0. */
  calls?: number
  /** What Spot reported of its rate limit. */
  quota?: Quota | undefined
  /** Seconds until Spot takes calls again. */
  retryAfter?: number
  /** Calls that Spot takes in a minute; there, if only as undefined, where its rate limit is used up. */
  limit?: number | undefined
}

/**
 * A call to Spot that did not succeed. It keeps what may be shown and nothing else: the HTTP client's own errors carry
 * the Authorization header, so they end where this one begins.
 */
export class SpotError extends Problem {
  override name = 'SpotError'
  readonly outcome: FailedOutcome
  readonly operation: string
  readonly code: string | undefined
  /** Calls that were sent to Spot before it was given up. */
  readonly calls: number
  /** The id by which Spot knows the last of them. */
  readonly requestId: string | undefined
  /** What Spot reported of its rate limit. */
  readonly quota: Quota | undefined
  readonly #failure: SpotFailure

  constructor (failure: SpotFailure) {
    const { call: { operation, envelope }, outcome, code, upstream, calls = 0, quota, retryAfter } = failure
    const write = isWrite(failure.call)
    const row: OutcomeRow = outcomes[outcome]
    const wait = retryAfter ?? row.wait
    const problem = write ? row.write : row.read
    const said = upstream?.errors?.map(({ code, message }) => `${code}: ${message}`).join('; ')
    super(problem, {
      detail: said ? `${row.detail} It says: ${said}` : row.detail,
      ...upstream && { upstream },
      ...upstream?.errors?.length && problem === 'spot-rejected' && {
        errors: upstream.errors.map(({ code, message, field }) => ({
          code, message, ...field && write && { pointer: pointerOf(field, envelope) }
        }))
      },
      ...wait !== undefined && {
        headers: { 'retry-after': String(wait), ...'limit' in failure && rateLimitHeaders(failure.limit, wait) }
      }
    })
    this.outcome = outcome
    this.operation = operation
    this.code = code
    this.calls = calls
    this.requestId = upstream?.requestId
    this.quota = quota
    // Of the call no more than is needed: its body may hold secrets.
    this.#failure = { ...failure, call: { operation, method: failure.call.method, envelope } }
  }

  /** Whether it is certain that the call changed nothing. */
  get changedNothing (): boolean {
    return this.calls === 0 || !isWrite(this.#failure.call) || outcomes[this.outcome].changedNothing
  }

  /** The same failure with another number of calls. */
  with ({ calls }: { calls: number }): SpotError {
    return calls === this.calls ? this : new SpotError({ ...this.#failure, calls })
  }
}

/**
 * The rate limit in the words of draft-ietf-httpapi-ratelimit-headers-10.
 *
 * @param limit calls a minute, where that is known
 * @param seconds until one more may be made
 */
const rateLimitHeaders = (limit: number | undefined, seconds: number): Record<string, string> => ({
  ratelimit: `"spot";r=0;t=${seconds}`,
  ...limit !== undefined && { 'ratelimit-policy': `"spot";q=${limit};w=${WINDOW / 1000}` }
})

/**
 * Field as Spot names it (`group.compute.availabilityZones[0].name`) → JSON pointer into the caller's body, as a URI
 * fragment (RFC 6901, section 6).
 *
 * @param envelope the key that stood around the body, which callers do not write
 */
export function pointerOf (field: string, envelope: string | undefined): string {
  const names = field.replace(/\[(\d+)\]/g, '.$1').split('.').filter(Boolean)
  if (names[0] === envelope) names.shift()
  return pointerTo(names)
}
