import fp from 'fastify-plugin'
import fastifyMetrics from 'fastify-metrics'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Budget, RouteLabels } from '../services/budget/index.js'
import { githash, version } from '../services/release.js'
import type { Result } from '../services/tokens/index.js'

declare module 'fastify' {
  interface FastifyInstance {
    measurements: {
      /** Everything that is measured, of this app alone. */
      registry: Registry
      /** Seconds of one call to Spot. Labels are closed sets: configured accounts, our operations, our outcomes. */
      upstream: Histogram<'account' | 'operation' | 'outcome'>
      /** Takes what tells which calls are held back, and asks it whenever the metrics are read. */
      heldBack: (read: () => [account: string, held: { reads: boolean, writes: boolean }][]) => void
      /** Takes what tells how the routes stand in Spot's rate limit, and asks it whenever the metrics are read. */
      budget: (read: Budget['standings']) => void
      /** What came of creates with an Idempotency-Key. */
      keys: Counter<'event'>
      /** How reads were answered. */
      reads: Counter<'result'>
      /** One token check. */
      auth: Counter<'result'>
    }
  }
}

const secondsOfSpot = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

export default fp(async function metrics (app) {
  const registry = new Registry()
  const registers = [registry]

  const upstream = new Histogram({
    name: 'spot_api_upstream_request_duration_seconds',
    help: 'Calls to Spot',
    labelNames: ['account', 'operation', 'outcome'] satisfies ('account' | 'operation' | 'outcome')[],
    buckets: secondsOfSpot,
    registers
  })
  const breaker = new Gauge({
    name: 'spot_api_upstream_held_back',
    help: '1 while calls to Spot are held back, because most failed of late',
    labelNames: ['account', 'calls'] satisfies ('account' | 'calls')[],
    registers
  })
  const heldBack = (read: () => [string, { reads: boolean, writes: boolean }][]) => {
    Object.assign(breaker, {
      collect () {
        for (const [account, { reads, writes }] of read()) {
          breaker.set({ account, calls: 'reads' }, Number(reads))
          breaker.set({ account, calls: 'writes' }, Number(writes))
        }
      }
    })
  }
  const budgetLabels = ['organization', 'route', 'method'] satisfies (keyof RouteLabels)[]
  const remaining = new Gauge({
    name: 'spot_api_upstream_budget_remaining',
    help: "Calls that Spot's rate limit has room for now, as far as this server knows",
    labelNames: budgetLabels,
    registers
  })
  const blocked = new Counter({
    name: 'spot_api_upstream_blocked_seconds_total',
    help: 'Time in which calls were refused, since the rate limit was used up',
    labelNames: budgetLabels,
    registers
  })
  const budget = (read: Budget['standings']) => {
    Object.assign(remaining, {
      collect () {
        remaining.reset() // what was not used for a minute is not known any more
        for (const { labels, remaining: calls } of read()) if (calls !== undefined) remaining.set({ ...labels }, calls)
      }
    })
    Object.assign(blocked, {
      collect () {
        blocked.reset()
        for (const { labels, blockedSeconds } of read()) blocked.inc({ ...labels }, blockedSeconds)
      }
    })
  }
  const keys = new Counter({
    name: 'spot_api_idempotency_total',
    help: 'What came of creates with an Idempotency-Key',
    labelNames: ['event'] satisfies 'event'[],
    registers
  })
  const reads = new Counter({
    name: 'spot_api_reads_total',
    help: 'Reads by how they were answered: from memory, by a call of their own or of another, by an old answer',
    labelNames: ['result'] satisfies 'result'[],
    registers
  })
  const auth = new Counter({
    name: 'spot_api_auth_total',
    help: 'Token checks by result',
    labelNames: ['result'] satisfies 'result'[],
    registers
  })
  const results: Result[] = [
    'valid', 'missing', 'key-itself', 'expanded', 'costly', 'malformed', 'wrong', 'limited', 'overloaded'
  ]
  for (const result of results) auth.inc({ result }, 0)
  new Gauge({
    name: 'spot_api_build_info',
    help: 'Version and commit of the running server',
    labelNames: ['version', 'githash'],
    registers
  }).set({ version, githash }, 1)

  // Its own endpoint is off: the contract has one. Its measuring of routes is off: it looks its labels up twice.
  await app.register(fastifyMetrics.default, {
    endpoint: null, defaultMetrics: { enabled: true, register: registry }, routeMetrics: { enabled: false }
  })
  const requests = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'request duration in seconds',
    labelNames: ['method', 'route', 'status_code'] satisfies ('method' | 'route' | 'status_code')[],
    registers
  })
  const methods = new Set<string>(app.supportedMethods) // callers may send others: they would be series of their own
  app.addHook('onResponse', ({ method, routeOptions: { url = '__unknown__' } }, { statusCode, elapsedTime }, done) => {
    if (methods.has(method)) requests.observe({ method, route: url, status_code: statusCode }, elapsedTime / 1000)
    done()
  })

  app.decorate('measurements', { registry, upstream, heldBack, budget, keys, reads, auth })
}, { name: 'metrics' })
