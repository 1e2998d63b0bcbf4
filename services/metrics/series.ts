import type { Counter, Gauge } from 'prom-client'

/**
 * At most 500 series, whatever callers send and however many accounts there are: Prometheus stores each series of each
 * server for weeks. Label values come from closed sets. Of accounts, organizations and routes, the first few get series
 * of their own; the rest is counted under `OTHER`.
 *
 *   requests     4 for each of 58 operations and for OTHER, 3 kinds × (7 buckets + 3), 18 statuses + OTHER   285
 *   Spot         2 kinds × (7 buckets + 3), 2 × 16 outcomes, 24 accounts and outcomes + 16 of OTHER          92
 *   Spot's limit 16 routes with the fewest left, 12 that were blocked + OTHER                                29
 *   breakers     2 for each of 8 accounts and for OTHER                                                      18
 *   ours         idempotency 10, reads 4, auth 10, refusals 5, reloads 2 + 1, audit 1, state 1, others 2     36
 *   the process  processor 3, memory 6, event loop 4, garbage 4 × (1 bucket + 3), files 2, start 1, Node 1    33
 *                                                                                                           493
 */
export const MOST = { accountOutcomes: 24, routesLeft: 16, routesBlocked: 12, accounts: 8 }

/** The label value for everything without a series of its own. No account can have this name. */
export const OTHER = '__other__'

/** Calls `collect`, which sets the values, at each scrape: prom-client looks for a method of this name. */
export function collectOnScrape (metric: Counter | Gauge, collect: () => void): void {
  Object.assign(metric, { collect })
}

/** Whether a name is among the first so many that were seen. */
export function firstSeen (most: number): (name: string) => boolean {
  const names = new Set<string>()
  return (name) => {
    if (names.size < most) names.add(name)
    return names.has(name)
  }
}
