import type { Quota } from './wire/quota.js'

/**
 * Where an answer comes from: this call of Spot, memory, a call that others made, or memory that is no longer fresh,
 * since Spot could not be asked. A label of the metrics, so the set is closed.
 */
export const SOURCES = ['spot', 'memory', 'shared', 'stale'] as const
export type Source = typeof SOURCES[number]

/** What Spot answered, and where the answer came from. */
export interface Answer {
  /** Callers who ask the same share these: do not change them. */
  items: object[]
  /** Characters it was written in. */
  size: number
  source: Source
  /** When Spot was asked, by the server's clock. */
  askedAt: number
  /** Spot's id of the call. */
  requestId?: string | undefined
  /** Calls that were sent to Spot for this answer; 0 where somebody else's call brought it. */
  calls: number
  /** What Spot reported of its rate limit. */
  quota?: Quota | undefined
  /** Memory may serve the answer again while these stamps are unchanged. */
  proof?: Proof | undefined
}

/** Names of stamps, and their values when Spot was asked. */
export interface Proof { names: readonly string[], stamps: readonly string[] }
