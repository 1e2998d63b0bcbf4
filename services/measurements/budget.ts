import { Counter, Gauge, type Registry } from 'prom-client'
import type { Limit, RouteLabels } from '../spot/stages/limit/index.js'
import { collecting, first, MOST, REST } from './series.js'

/** How the routes stand in Spot's rate limit. */
export function budgetOf (registers: Registry[]) {
  const labelNames = ['organization', 'route', 'method'] satisfies (keyof RouteLabels)[]
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

  return (read: Limit['standings']) => {
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
