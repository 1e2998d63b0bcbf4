import type { IncomingHttpHeaders } from 'node:http'

/** Milliseconds of Spot's sliding window. Source: help.spot.io, API rate limits (ADM-0002). */
export const WINDOW = 60_000

/** A reset further off than this (milliseconds) is not believed: the window is a minute. */
const FURTHEST = 10 * WINDOW

/** What Spot reports of its rate limit with an answer, as it counted when the call arrived. */
export interface Quota {
  /** Calls in a window; undefined if a 429 does not say, Infinity where it has no limit. */
  limit: number | undefined
  /** Calls that may still be made. */
  remaining: number
  /** Milliseconds until one more call may be made. */
  reset: number
  /** Whether it refused the call: an answer 429. */
  blocked: boolean
}

/** Milliseconds to wait, as whole seconds for a caller: at least one. */
export const secondsOf = (wait: number) => Math.max(1, Math.ceil(wait / 1000))

/** A header that is a number; anything else is undefined. */
function numberIn (header: string | string[] | undefined): number | undefined {
  const value = typeof header === 'string' && header.trim() !== '' ? Number(header) : Number.NaN
  return Number.isFinite(value) ? value : undefined
}

/** Milliseconds until the reset; a minute where that cannot be believed, such as an epoch or a negative number. */
function resetIn (header: string | string[] | undefined): number {
  const milliseconds = (numberIn(header) ?? -1) * 1000
  return milliseconds >= 0 && milliseconds <= FURTHEST ? milliseconds : WINDOW
}

/**
 * What an answer of Spot says of its rate limit. A success without numbers says that there is none; any other answer
 * without them may come from something in front of Spot, and says nothing. A negative `remaining` is none.
 * Source: help.spot.io, API rate limits (ADM-0002).
 */
export function quotaOf (status: number, headers: IncomingHttpHeaders): Quota | undefined {
  const [limit, remaining] = [numberIn(headers['x-ratelimit-limit']), numberIn(headers['x-ratelimit-remaining'])]
  const known = limit !== undefined && limit >= 1 ? Math.floor(limit) : undefined
  const reset = resetIn(headers['x-ratelimit-reset'])
  if (status === 429) return { limit: known, remaining: 0, reset, blocked: true }
  if (known !== undefined && remaining !== undefined) {
    return { limit: known, remaining: Math.max(0, Math.floor(remaining)), reset, blocked: false }
  }
  return status === 200 && limit === undefined && remaining === undefined
    ? { limit: Infinity, remaining: Infinity, reset: 0, blocked: false }
    : undefined
}
