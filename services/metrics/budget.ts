import { Counter, Gauge, type Registry } from 'prom-client'
import { collectOnScrape, firstSeen, MOST, OTHER } from './series.js'

/** How much of Spot's rate limit for a route is used. */
export interface RouteUsage {
  labels: { organization: string, route: string, method: string }
  /** Calls that may be sent now; undefined where no limit is known. */
  remaining: number | undefined
  /** Seconds, since the start, in which calls were refused. */
  blockedSeconds: number
}

/** How much of Spot's rate limit is used. */
export function limitMetrics (registers: Registry[]) {
  const labelNames = ['organization', 'route', 'method'] satisfies (keyof RouteUsage['labels'])[]
  const remaining = new Gauge({
    name: 'spot_api_upstream_budget_remaining',
    help: `Calls that may be sent now, for the ${MOST.routesLeft} routes with the fewest left`,
    labelNames,
    registers
  })
  const blocked = new Counter({
    name: 'spot_api_upstream_blocked_seconds_total',
    help: 'Seconds in which calls were refused because the rate limit was used up',
    labelNames,
    registers
  })
  const other = { organization: OTHER, route: OTHER, method: OTHER }
  const hasOwnSeries = firstSeen(MOST.routesBlocked)

  return (read: () => RouteUsage[]) => {
    collectOnScrape(remaining, () => {
      remaining.reset() // forgets routes whose limit is no longer known
      const known = read().flatMap(({ labels, remaining: calls }) => calls === undefined ? [] : [{ labels, calls }])
      // Descending: of two with the same labels, as after a change of the token, the one with fewer calls stays.
      known.sort((one, other) => other.calls - one.calls)
      for (const { labels, calls } of known.slice(-MOST.routesLeft)) remaining.set({ ...labels }, calls)
    })
    collectOnScrape(blocked, () => {
      blocked.reset()
      blocked.inc(other, 0)
      for (const { labels, blockedSeconds } of read()) {
        if (blockedSeconds === 0) continue
        blocked.inc(hasOwnSeries(Object.values(labels).join(' ')) ? { ...labels } : other, blockedSeconds)
      }
    })
  }
}
