import type { Counter, Gauge } from 'prom-client'

/**
 * At most 500 series, whatever is sent and however many accounts there are: Prometheus keeps each of them, of each
 * server, for weeks. Routes by statuses by buckets would be thousands. Labels are closed sets, and what comes from the
 * configuration has series for the first so many; the rest is counted together, under `REST`.
 *
 *   requests     4 for each of 53 operations and for REST, 3 kinds × (7 buckets + 3), 18 statuses + REST     265
 *   Spot         2 kinds × (7 buckets + 3), 2 × 14 outcomes, 24 accounts and outcomes + 14 of REST            86
 *   Spot's limit 16 routes with the least left, 12 that were blocked + REST                                   29
 *   breakers     2 for each of 8 accounts and for REST                                                        18
 *   ours         idempotency 10, reads 4, auth 10, refusals 5, reloads 2 + 1, audit 1, state 1, others 2      36
 *   the process  processor 3, memory 6, event loop 4, garbage 4 × (1 bucket + 3), files 2, start 1, Node 1    33
 *                                                                                                            467
 */
export const MOST = { outcomes: 24, routesLeft: 16, routesBlocked: 12, accounts: 8 }

/** Stands for all that has no series of its own. No account can be called so. */
export const REST = '__other__'

/** Has a metric ask for what it is to say whenever it is read. */
export const collecting = (metric: Counter | Gauge, collect: () => void): void => { Object.assign(metric, { collect }) }

/** Whether a name is among the first so many that were seen. */
export function first (most: number): (name: string) => boolean {
  const names = new Set<string>()
  return (name) => {
    if (names.size < most) names.add(name)
    return names.has(name)
  }
}
