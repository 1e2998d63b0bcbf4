import type { ProblemName } from '../../problems/index.js'

/** What became of a call to Spot, in one word. A label of the metrics, so the set is closed. */
export type Outcome =
  | 'success'
  | 'unsent' | 'interrupted' | 'timeout'
  | 'rejected' | 'not-found' | 'unauthorized' | 'forbidden' | 'rate-limited' | 'failed'
  | 'redirected' | 'unreadable' | 'create-failed' | 'withheld' | 'expired' | 'unannounced'

export type FailedOutcome = Exclude<Outcome, 'success'>

export interface OutcomeRow {
  /** Problem for the caller of a read. */
  read: ProblemName
  /** Problem for the caller of a write: `outcome-unknown` wherever Spot may have carried it out. */
  write: ProblemName
  /** In words, for the caller. */
  detail: string
  /** Whether it is certain that a write changed nothing. */
  changedNothing: boolean
  /** Which calls may be sent again: any, since this one never left; those that may be repeated: reads and deletes. */
  again: 'any' | 'repeatable' | 'never'
  /** Whether the circuit breaker counts it as a failure of Spot. */
  breaks: boolean
  /** Seconds to wait where Spot does not say how long. */
  wait?: number
}

/**
 * Failed outcome → what the caller gets. A write gets `outcome-unknown` unless it is certain that it changed nothing:
 * it never left this machine, or Spot itself answered with a 4xx. `create-failed` may hide a create, and has a problem
 * of its own.
 */
export const outcomes: Record<FailedOutcome, OutcomeRow> = {
  unsent: {
    read: 'spot-unreachable',
    write: 'spot-unreachable',
    detail: 'No connection to Spot could be made. Nothing was sent.',
    changedNothing: true,
    again: 'any',
    breaks: true
  },
  interrupted: {
    read: 'spot-unreachable',
    write: 'outcome-unknown',
    detail: 'The connection to Spot broke before its whole answer was here.',
    changedNothing: false,
    again: 'repeatable',
    breaks: true
  },
  timeout: {
    read: 'spot-timeout',
    write: 'outcome-unknown',
    detail: 'Spot did not answer before the deadline.',
    changedNothing: false,
    again: 'repeatable',
    breaks: true
  },
  rejected: {
    read: 'spot-rejected',
    write: 'spot-rejected',
    detail: 'Spot rejects the request.',
    changedNothing: true,
    again: 'never',
    breaks: false
  },
  'not-found': {
    read: 'resource-not-found',
    write: 'resource-not-found',
    detail: 'Spot knows no such resource in this account.',
    changedNothing: true,
    again: 'never',
    breaks: false
  },
  unauthorized: {
    read: 'spot-credentials-rejected',
    write: 'spot-credentials-rejected',
    detail: "Spot does not accept this server's token for the account.",
    changedNothing: true,
    again: 'never',
    breaks: false
  },
  forbidden: {
    read: 'spot-credentials-rejected',
    write: 'spot-credentials-rejected',
    detail: "Spot does not let this server's token do this in the account.",
    changedNothing: true,
    again: 'never',
    breaks: false
  },
  'rate-limited': {
    read: 'spot-rate-limited',
    write: 'spot-rate-limited',
    detail: 'Spot or AWS limits the rate of these calls. Nothing was changed.',
    changedNothing: true,
    again: 'never',
    breaks: false,
    wait: 60
  },
  failed: {
    read: 'spot-failed',
    write: 'outcome-unknown',
    detail: 'Spot answered with a server error.',
    changedNothing: false,
    again: 'repeatable',
    breaks: true
  },
  redirected: {
    read: 'spot-unreadable',
    write: 'outcome-unknown',
    detail: 'Spot answered with a redirect, which is never followed.',
    changedNothing: false,
    again: 'never',
    breaks: true
  },
  unreadable: {
    read: 'spot-unreadable',
    write: 'outcome-unknown',
    detail: "Spot's answer is not the JSON it documents, or it is too large.",
    changedNothing: false,
    again: 'never',
    breaks: true
  },
  'create-failed': {
    read: 'spot-create-failed',
    write: 'spot-create-failed',
    detail: 'Spot failed to create it, most likely because AWS throttles Spot.',
    changedNothing: false,
    again: 'never',
    breaks: false,
    wait: 30
  },
  withheld: {
    read: 'spot-unavailable',
    write: 'spot-unavailable',
    detail: 'Most calls to Spot failed in the last seconds, so this one was not sent.',
    changedNothing: true,
    again: 'never',
    breaks: false
  },
  expired: {
    read: 'spot-timeout',
    write: 'spot-unreachable',
    detail: "The deadline passed before this call could be sent, most likely because Spot's rate limit had no room. " +
      'Nothing was sent.',
    changedNothing: true,
    again: 'never',
    breaks: false
  },
  unannounced: {
    read: 'state-unavailable',
    write: 'state-unavailable',
    detail: 'The other servers cannot learn of this write, and might go on giving older answers. Nothing was sent.',
    changedNothing: true,
    again: 'never',
    breaks: false,
    wait: 5
  }
}

/** Error codes that say more than the status they come with, which is a 400. The first pattern that fits decides. */
const codes: [RegExp, FailedOutcome][] = [
  [/^(Throttling|RequestLimitExceeded)$/, 'rate-limited'], // AWS throttles Spot
  [/^CANT_CREATE_GROUP$/, 'create-failed'], // hides AWS throttling: terraform-provider-spotinst, pull request 184
  [/^account_doesnt_exist$/i, 'unauthorized'], // the configured account, not the resource
  [/_DOESNT_EXIST$/, 'not-found']
]

const statuses: Record<number, FailedOutcome> = {
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not-found'
}

/**
 * Outcome that an HTTP status of Spot stands for.
 *
 * @param status HTTP status, not 200
 * @param errorCodes the codes of `errors[]`; undefined when the body is not Spot's envelope
 */
export function outcomeOfStatus (status: number, errorCodes: string[] | undefined): FailedOutcome {
  if (status >= 500) return 'failed'
  if (status < 300) return 'unreadable' // Spot documents no success but 200
  if (status < 400) return 'redirected'
  if (status === 429) return 'rate-limited' // what is refused so is never carried out
  if (status === 408) return 'failed' // a proxy that gave up waiting may have passed the call on
  if (status === 404 && !errorCodes) return 'unreadable' // something other than Spot answers there
  const row = codes.find(([pattern]) => errorCodes?.some((code) => pattern.test(code)))
  return row?.[1] ?? statuses[status] ?? 'rejected'
}

/**
 * Outcome that a transfer without a whole answer stands for.
 *
 * @param code code of the got error, such as `ETIMEDOUT`
 * @param connected whether the connection stood, TLS included: until then no byte of the request has left
 */
export function outcomeOfTransfer (code: string, connected: boolean): 'unsent' | 'interrupted' | 'timeout' {
  if (!connected) return 'unsent'
  return code === 'ETIMEDOUT' ? 'timeout' : 'interrupted'
}
