import fp from 'fastify-plugin'
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import { githash, version } from '../services/release.js'
import type { Refusal } from '../services/tokens/index.js'

declare module 'fastify' {
  interface FastifyInstance {
    measurements: {
      /** Everything that is measured, of this app alone. */
      registry: Registry
      /** Seconds of one call to Spot. Labels are closed sets: configured accounts, our operations, our outcomes. */
      upstream: Histogram<'account' | 'operation' | 'outcome'>
      /** Takes what tells which calls are held back, and asks it whenever the metrics are read. */
      heldBack: (read: () => [account: string, held: { reads: boolean, writes: boolean }][]) => void
      /** What came of creates with an Idempotency-Key. */
      keys: Counter<'event'>
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
  const keys = new Counter({
    name: 'spot_api_idempotency_total',
    help: 'What came of creates with an Idempotency-Key',
    labelNames: ['event'] satisfies 'event'[],
    registers
  })
  const auth = new Counter({
    name: 'spot_api_auth_total',
    help: 'Token checks by result',
    labelNames: ['result'] satisfies 'result'[],
    registers
  })
  const results: ('valid' | Refusal)[] = ['valid', 'missing', 'key-itself', 'expanded', 'costly', 'malformed', 'wrong']
  for (const result of results) auth.inc({ result }, 0)
  new Gauge({
    name: 'spot_api_build_info',
    help: 'Version and commit of the running server',
    labelNames: ['version', 'githash'],
    registers
  }).set({ version, githash }, 1)

  collectDefaultMetrics({ register: registry })
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

  app.decorate('measurements', { registry, upstream, heldBack, keys, auth })
}, { name: 'metrics' })
