import { DOCS_PATH, pathOf } from '../../openapi/paths.js'
import type { components } from '../../openapi/types.js'

/** The hint is for callers whose problem brings none of its own. */
interface Row { status: number, title: string, hint?: string }

/**
 * Every problem this server answers with, one row each. The contract (`ProblemType`) and docs/errors.md list the
 * same names; a test compares the three.
 */
export const problems = {
  'malformed-request': {
    status: 400,
    title: 'The request is not valid HTTP',
    hint: 'Check the request as it leaves the client: the path, the headers, the length of the body.'
  },
  'malformed-json': {
    status: 400,
    title: 'The body is not valid JSON',
    hint: 'Send one JSON value, in UTF-8.'
  },
  'invalid-request': {
    status: 400,
    title: 'The request does not match the contract',
    hint: `Compare the request with the operation in ${DOCS_PATH}.`
  },
  'spot-rejected': {
    status: 400,
    title: 'Spot rejects the request',
    hint: 'Change what Spot names, then send it again.'
  },
  unauthenticated: { status: 401, title: 'A valid X-Auth-Token is needed' },
  forbidden: { status: 403, title: 'This client may not do that' },
  'account-not-found': {
    status: 404,
    title: 'No such account is configured',
    hint: `GET ${pathOf('listAccounts', {})} lists what there is.`
  },
  'resource-not-found': {
    status: 404,
    title: 'Spot knows no such resource',
    hint: 'Check the id and the account; the list shows what is there.'
  },
  'route-not-found': { status: 404, title: 'There is nothing at this path' },
  'method-not-allowed': { status: 405, title: 'This path does not take this method' },
  'request-timeout': {
    status: 408,
    title: 'The request took too long to arrive',
    hint: 'Send the whole request at once.'
  },
  'roll-in-progress': { status: 409, title: 'A roll blocks the group' },
  'idempotency-key-in-use': { status: 409, title: 'A request with this Idempotency-Key is under way' },
  'duplicates-found': { status: 409, title: 'More than one resource was made with this Idempotency-Key' },
  'dry-run': { status: 412, title: 'A dry run: nothing was sent' },
  'precondition-failed': {
    status: 412,
    title: 'It has changed since you read it',
    hint: 'GET it again, make your change of that, and send the new ETag in If-Match, quotes included.'
  },
  'content-too-large': {
    status: 413,
    title: 'The body is too large',
    hint: 'No body may be larger than 1 MiB.'
  },
  'uri-too-long': {
    status: 414,
    title: 'The path is too long',
    hint: 'Check the ids in the path: none is longer than 128 characters.'
  },
  'unsupported-media-type': {
    status: 415,
    title: 'The body is not JSON',
    hint: 'Send application/json.'
  },
  'idempotency-key-reused': { status: 422, title: 'The Idempotency-Key belongs to another request' },
  'guardrail-breached': { status: 422, title: 'The guardrails do not allow it' },
  'masked-secret': { status: 422, title: 'The body has a masked secret' },
  'too-many-failures': { status: 429, title: 'Too many wrong tokens came from this address' },
  'spot-rate-limited': {
    status: 429,
    title: 'Spot takes no more calls for now',
    hint: 'Wait as many seconds as Retry-After says.'
  },
  'header-fields-too-large': {
    status: 431,
    title: 'The headers are too large',
    hint: 'Send fewer or shorter headers.'
  },
  'internal-error': {
    status: 500,
    title: 'This server has a bug',
    hint: 'Tell the operator the requestId: the log has more under it.'
  },
  'spot-unreachable': {
    status: 502,
    title: 'Spot cannot be reached',
    hint: "Try again. If it stays, ask the operator to check the account's endpoint and the network."
  },
  'spot-credentials-rejected': {
    status: 502,
    title: 'Spot rejects the credentials of this account',
    hint: "Ask the operator to check the account's token and id."
  },
  'spot-failed': {
    status: 502,
    title: 'Spot failed',
    hint: 'Try again in a moment.'
  },
  'spot-unreadable': {
    status: 502,
    title: "Spot's answer cannot be read",
    hint: "Try again. If it stays, ask the operator to check the account's endpoint."
  },
  'not-ready': {
    status: 503,
    title: 'The server is shutting down',
    hint: 'Send requests to another server.'
  },
  overloaded: { status: 503, title: 'This server has too much to do' },
  'state-unavailable': {
    status: 503,
    title: 'What the servers share cannot be used',
    hint: 'Try again after Retry-After.'
  },
  'spot-unavailable': {
    status: 503,
    title: 'Spot is out of order',
    hint: 'Wait as many seconds as Retry-After says.'
  },
  'spot-create-failed': {
    status: 503,
    title: 'Spot failed to create it for now',
    hint: 'Try again after Retry-After, with an Idempotency-Key: then it is created once, even if Spot did ' +
      'create it this time.'
  },
  'spot-timeout': {
    status: 504,
    title: 'Spot did not answer in time',
    hint: 'Try again in a moment.'
  },
  'outcome-unknown': {
    status: 504,
    title: 'It is unknown whether Spot did it',
    hint: 'Look before you try again: a GET shows whether it happened. Repeating a create may create twice; ' +
      'repeating an update or a delete does no harm.'
  }
} as const satisfies Record<string, Row>

export type ProblemName = keyof typeof problems

/** One error: where it is (a JSON pointer into the body, or the name of a parameter), its rule and its message. */
export interface ProblemError {
  pointer?: string
  parameter?: string
  code: string
  message: string
}

/** What Spot answered: its HTTP status, the id of the request in its logs, and its errors unchanged. */
export interface Upstream {
  status: number
  requestId?: string
  errors?: { code: string, message: string, field?: string }[]
}

export interface ProblemDetails {
  detail: string
  /** What the caller can do; default: that of the row. */
  hint?: string
  errors?: ProblemError[]
  upstream?: Upstream
  /** The roll that blocks the group, with Spot's name of its status. */
  roll?: { id: string, status: string }
  /** What a write would do that was only tried. */
  preview?: components['schemas']['DryRunPreview']
  headers?: Record<string, string>
}

/** An error for the caller. It can be thrown anywhere; the problems plugin makes the reply. */
export class Problem extends Error {
  override name = 'Problem'

  constructor (readonly problem: ProblemName, readonly details: ProblemDetails) {
    super(details.detail)
  }

  get status (): number {
    return problems[this.problem].status
  }
}

/** URI of a problem type: stable, for programs to compare. */
export const problemType = (problem: ProblemName): `urn:problem-type:spot-api:${ProblemName}` =>
  `urn:problem-type:spot-api:${problem}`

/** The body of a problem reply, as RFC 9457 and the contract have it. */
export function problemBody (problem: Problem, instance: string, requestId: string) {
  const { status, title, hint: ofRow }: Row = problems[problem.problem]
  const { headers, detail, hint = ofRow, ...details } = problem.details
  return { type: problemType(problem.problem), title, status, detail, hint, ...details, instance, requestId }
}
