/** Milliseconds of Spot's sliding window. Source: help.spot.io, API rate limits (ADM-0002). */
export const WINDOW = 60_000

/** Calls, where no limit is told: more than anybody makes. */
export const UNLIMITED = 1e9

/** Where Spot says the caller stands, as it counted when the call arrived. */
export interface Quota {
  /** Calls in a window; undefined where Spot does not say. */
  limit: number | undefined
  /** Calls that may still be made. */
  remaining: number
  /** Milliseconds until one more call may be made. */
  reset: number
  /** Whether it refused the call: an answer 429. */
  blocked: boolean
}

/**
 * What became of a call, as far as the rate limit goes: what Spot told, that it never left (a certainty), or nothing,
 * when its answer was lost or had no numbers.
 */
export type Heard = Quota | 'unsent' | undefined
