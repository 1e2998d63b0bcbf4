import type { Quota } from './wire/quota.js'

/**
 * Where an answer comes from: this call of Spot, memory, a call that others made, or memory that is no longer fresh,
 * since Spot could not be asked. A label of the metrics, so the set is closed.
 */
export const SOURCES = ['spot', 'memory', 'shared', 'stale'] as const
export type Source = typeof SOURCES[number]

/** What Spot answered, and where that comes from: provenance travels in the answer, never past it. */
export interface Answer {
  /** Shared by those who ask the same: not to be changed. */
  items: object[]
  /** Characters it was written in. */
  size: number
  source: Source
  /** When Spot was asked, by the server's clock. */
  askedAt: number
  /** The id by which Spot knows the call. */
  requestId?: string | undefined
  /** Calls that were sent to Spot for this answer; 0 where somebody else's call brought it. */
  calls: number
  /** What Spot reported of its rate limit. */
  quota?: Quota | undefined
  /** Counters that held when Spot was asked, as memory knows them: while they hold, it may be given once more. */
  proof?: { names: readonly string[], words: readonly string[] } | undefined
}
