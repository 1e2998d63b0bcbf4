import type { Source } from '../spot/answer.js'

/** How a read was answered, in the words of the metrics and the log. */
export type Result = 'hit' | 'miss' | 'collapsed' | 'stale'

/** By where the answer came from: the word for it, and Cache-Status (https://www.rfc-editor.org/rfc/rfc9211). */
export const results: Record<Source, { result: Result, cacheStatus: string }> = {
  memory: { result: 'hit', cacheStatus: 'spot-api; hit' },
  stale: { result: 'stale', cacheStatus: 'spot-api; hit; detail=stale' },
  spot: { result: 'miss', cacheStatus: 'spot-api; fwd=miss' },
  shared: { result: 'collapsed', cacheStatus: 'spot-api; fwd=miss; collapsed' }
}

export const RESULTS: Result[] = Object.values(results).map(({ result }) => result)
