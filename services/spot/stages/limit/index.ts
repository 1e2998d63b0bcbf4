import type { RouteUsage } from '../../../metrics/budget.js'
import type { Clock } from '../../clock.js'
import { SpotError } from '../../error.js'
import type { Organization } from '../../organizations.js'
import type { Stage } from '../../stage.js'
import { RedisWindow } from './redis-window.js'
import { RouteQueue } from './route-queue.js'
import { Shared, type SharedWindow } from './shared.js'
import type { Feedback } from './window.js'

export type { SharedWindow } from './shared.js'

/** Routes that are remembered before idle ones are forgotten. */
const MAX_ROUTES = 10_000

export interface LimitOptions {
  clock: Clock
  /** Where servers share what they know: URL of a Redis, or what takes its place. Default: this server is alone. */
  redis?: string | SharedWindow | undefined
  /** Part of a route's limit that one client may hold, from 0 to 1. '' is the server itself. */
  shareOf: (client: string) => number
  /** Called when calls of a route begin to be refused, for how many seconds; and when that ends, after how many. */
  onBlock: (blocked: boolean, about: RouteUsage['labels'] & { seconds: number }) => void
  /** Called when this server continues alone, and when it shares again. */
  onShared: (shared: boolean) => void
}

/**
 * Delays or refuses calls so that Spot's rate limit is kept. Exceptions: while no limit is known, ten calls go at once;
 * and where Redis cannot be reached, each server counts only its own calls.
 */
export interface Limit {
  /** The stage of the accounts that Spot counts together. */
  stage (organization: Organization): Stage
  /** Usage of every route that was called, for metrics. */
  usage (): RouteUsage[]
  /** Connects to what is shared before the first call needs it. */
  open (): void
  close (): void
}

export function createLimit ({ clock, redis, shareOf, onBlock, onShared }: LimitOptions): Limit {
  const window = typeof redis === 'string' ? new RedisWindow(redis) : redis
  const shared = window && new Shared(window, clock, onShared)
  const routes = new Map<string, { labels: RouteUsage['labels'], queue: RouteQueue }>()

  function queueOf (organization: Organization, operation: string, method: string): RouteQueue {
    const route = `${organization.id}:${operation}`
    const known = routes.get(route)
    if (known) return known.queue
    if (routes.size >= MAX_ROUTES) forgetIdle()
    const labels = { organization: organization.name, route: operation, method }
    const queue = new RouteQueue({
      route,
      clock,
      shared,
      shareOf,
      onBlock: (blocked, milliseconds) => onBlock(blocked, { ...labels, seconds: Math.ceil(milliseconds / 1000) })
    })
    routes.set(route, { labels, queue })
    return queue
  }

  function forgetIdle () {
    for (const [route, { queue }] of routes) {
      if (!queue.idle) continue
      queue.close()
      routes.delete(route)
    }
  }

  return {
    stage: (organization) => async (call, next) => {
      const queue = queueOf(organization, call.operation, call.method)
      const slot = await queue.enter(call)
      let feedback: Feedback
      try {
        const answer = await next(call)
        feedback = answer.quota
        return answer
      } catch (error) {
        if (error instanceof SpotError) feedback = error.calls === 0 ? 'unsent' : error.quota
        throw error
      } finally {
        queue.leave(slot, feedback)
      }
    },
    usage: () => [...routes.values()].map(({ labels, queue: { remaining, blockedSeconds } }) =>
      ({ labels, remaining, blockedSeconds })),
    open: () => shared?.open(),
    close () {
      for (const { queue } of routes.values()) queue.close()
      shared?.close()
    }
  }
}
