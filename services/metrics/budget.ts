import { Counter, Gauge, type Registry } from 'prom-client'
import { collecting, first, MOST, REST } from './series.js'

/** A route, and how it stands in Spot's rate limit. */
export interface Standing {
  labels: { organization: string, route: string, method: string }
  /** Calls that may be sent now; undefined where no limit is known. */
  remaining: number | undefined
  /** Time in which calls were refused. */
  blockedSeconds: number
}

/** How the routes stand in Spot's rate limit. */
export function budgetOf (registers: Registry[]) {
  const labelNames = ['organization', 'route', 'method'] satisfies (keyof Standing['labels'])[]
  const remaining = new Gauge({
    name: 'spot_api_upstream_budget_remaining',
    help: `Calls that Spot's rate limit has room for now, of the ${MOST.routesLeft} routes with the least`,
    labelNames,
    registers
  })
  const blocked = new Counter({
    name: 'spot_api_upstream_blocked_seconds_total',
    help: 'Time in which calls were refused, since the rate limit was used up',
    labelNames,
    registers
  })
  const rest = { organization: REST, route: REST, method: REST }
  const named = first(MOST.routesBlocked)

  return (read: () => Standing[]) => {
    collecting(remaining, () => {
      remaining.reset() // what was not used for a minute is not known any more
      const known = read().flatMap(({ labels, remaining: calls }) => calls === undefined ? [] : [{ labels, calls }])
      known.sort((one, other) => one.calls - other.calls)
      for (const { labels, calls } of known.slice(0, MOST.routesLeft)) remaining.set({ ...labels }, calls)
    })
    collecting(blocked, () => {
      blocked.reset()
      blocked.inc(rest, 0)
      for (const { labels, blockedSeconds } of read()) {
        if (blockedSeconds === 0) continue
        blocked.inc(named(Object.values(labels).join(' ')) ? { ...labels } : rest, blockedSeconds)
      }
    })
  }
}
