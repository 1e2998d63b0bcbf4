import type { IncomingHttpHeaders } from 'node:http'
import { UNLIMITED, WINDOW, type Quota } from '../budget/index.js'

/** A header that is a number of calls or seconds. */
function amount (header: string | string[] | undefined): number | undefined {
  const value = typeof header === 'string' && header.trim() !== '' ? Number(header) : Number.NaN
  return value >= 0 ? Math.min(value, UNLIMITED) : undefined
}

/** Milliseconds to wait, as whole seconds for a caller: at least one. */
export const secondsOf = (wait: number) => Math.max(1, Math.ceil(wait / 1000))

/**
 * What an answer of Spot tells of its rate limit. A success without numbers says that there is none; any other answer
 * without them may come from something before Spot, and tells nothing.
 * Source: help.spot.io, API rate limits (ADM-0002).
 */
export function quotaOf (status: number, headers: IncomingHttpHeaders): Quota | undefined {
  const told = (name: string) => amount(headers[`x-ratelimit-${name}`])
  const [limit, remaining, seconds] = [told('limit'), told('remaining'), told('reset')]
  const reset = seconds === undefined ? WINDOW : seconds * 1000
  if (status === 429) return { limit, remaining: 0, reset, blocked: true }
  if (limit !== undefined && remaining !== undefined) return { limit, remaining, reset, blocked: false }
  return status === 200 ? { limit: undefined, remaining: UNLIMITED, reset: 0, blocked: false } : undefined
}
