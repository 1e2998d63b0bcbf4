import fp from 'fastify-plugin'
import fastifyMetrics from 'fastify-metrics'
import { Counter, Gauge, Registry } from 'prom-client'
import type { OperationRow } from '../openapi/operations.js'
import { breakerMetrics } from '../services/metrics/breakers.js'
import { limitMetrics } from '../services/metrics/budget.js'
import { idempotencyMetrics } from '../services/metrics/keys.js'
import { requestMetrics } from '../services/metrics/requests.js'
import { collectOnScrape } from '../services/metrics/series.js'
import { tally, type Tally } from '../services/metrics/tally.js'
import { upstreamMetrics } from '../services/metrics/upstream.js'
import { EVENTS, type KeyEvent } from '../services/idempotency/index.js'
import { outcomes, type Outcome } from '../services/spot/wire/outcomes.js'
import { RESULTS as READS, type Result } from '../services/replies/results.js'
import { githash, version } from '../services/process/release.js'
import type { Delay, Refusal } from '../services/access/tokens.js'

declare module 'fastify' {
  interface FastifyInstance {
    measurements: {
      /** Everything that is measured, of this app alone. */
      registry: Registry
      /** One call to Spot, once it ended. */
      upstream: ReturnType<typeof upstreamMetrics<Outcome>>
      /** Sets the source of the states of the circuit breakers; it is read at each scrape. */
      watchBreakers: ReturnType<typeof breakerMetrics>
      /** Sets the source of the usage of Spot's rate limit; it is read at each scrape. */
      watchLimit: ReturnType<typeof limitMetrics>
      /** Sets the source of the number of requests under way; it is read at each scrape. */
      watchUnderWay: (read: () => number) => void
      /** What came of creates with an Idempotency-Key, and how many are in doubt. */
      keys: ReturnType<typeof idempotencyMetrics<KeyEvent>>
      /** How reads were answered. */
      reads: Tally<Result>
      /** One token check. */
      auth: Tally<typeof CHECKS[number]>
      /** Requests with a right token that may not do what they ask for. */
      refusals: Tally<typeof REASONS[number]>
      /** Attempts to read the configuration anew. */
      reloads: Tally<typeof RELOADS[number]>
      /** 1 when the last of them succeeded, else 0. */
      lastReload: Gauge
      /** 1 while the state can be used, else 0. */
      stateUp: Gauge
      /** Sets the source of the number of lost audit lines; it is read at each scrape. */
      auditFailures: (read: () => number) => void
    }
  }
}

const CHECKS = [
  'valid', 'expired', 'missing', 'key-itself', 'expanded', 'costly', 'malformed', 'wrong', 'limited', 'overloaded'
] as const satisfies ('valid' | 'expired' | Refusal | Delay)[]
const REASONS = ['access', 'account', 'expired', 'delete', 'guardrail'] as const
const RELOADS = ['success', 'failure'] as const

/** Of Node's own: gauges that are called totals, a series for each kind of what is open, parts of parts. */
const unwanted = /^nodejs_(?:active|heap_space)_|^nodejs_eventloop_lag_(?:min|stddev|p50|p90)_/

export default fp(async function metrics (app) {
  const registry = new Registry()
  const registers = [registry]

  const gauge = (name: string, help: string) => new Gauge({ name, help, registers })

  const lastReload = gauge('spot_api_configuration_last_reload_success',
    '1 if the last reload succeeded, 0 if the earlier configuration is still in use')
  lastReload.set(1)
  const stateUp = gauge('spot_api_state_up',
    '1 while the state can be used, 0 while it cannot: creates with an Idempotency-Key are refused then')
  stateUp.set(1)
  const lost = new Counter({ name: 'spot_api_audit_failures_total', help: 'Audit lines that were lost', registers })
  const underWay = gauge('spot_api_requests_under_way', 'Requests with a right token that wait for their answer')
  new Gauge({
    name: 'spot_api_build_info',
    help: 'Version and commit of the running server',
    labelNames: ['version', 'githash'],
    registers
  }).set({ version, githash }, 1)

  // Its own endpoint is off: the contract has one. Its measuring of routes is off: it would be thousands of series.
  await app.register(fastifyMetrics.default, {
    endpoint: null,
    defaultMetrics: { enabled: true, register: registry, gcDurationBuckets: [0.1] },
    routeMetrics: { enabled: false }
  })
  for (const { name } of registry.getMetricsAsArray()) if (unwanted.test(name)) registry.removeSingleMetric(name)

  const requests = requestMetrics(registers)
  app.addHook('onRoute', ({ method, url, config }) => {
    // A HEAD counts as the GET that it comes with.
    if (!config?.operationId || method === 'HEAD') return
    requests.add(config as OperationRow, { method: String(method), route: url })
  })
  app.addHook('onResponse', ({ operation }, { statusCode, elapsedTime }, done) => {
    requests.observe(operation.operationId, statusCode, elapsedTime / 1000)
    done()
  })

  app.decorate('measurements', {
    registry,
    upstream: upstreamMetrics<Outcome>(registers, ['success', ...Object.keys(outcomes) as (keyof typeof outcomes)[]]),
    watchBreakers: breakerMetrics(registers),
    watchLimit: limitMetrics(registers),
    watchUnderWay: (read) => collectOnScrape(underWay, () => underWay.set(read())),
    keys: idempotencyMetrics(registers, EVENTS),
    reads: tally(registers, 'spot_api_reads_total',
      'Reads by how they were answered: from memory, by a call of their own or of another, by an old answer',
      'result', READS),
    auth: tally(registers, 'spot_api_auth_total', 'Token checks by result', 'result', CHECKS),
    refusals: tally(registers, 'spot_api_refusals_total',
      'Requests with a right token that may not do what they ask for', 'reason', REASONS),
    reloads: tally(registers, 'spot_api_configuration_reloads_total',
      'Attempts to read the configuration anew', 'result', RELOADS),
    lastReload,
    stateUp,
    auditFailures: (read) => collectOnScrape(lost, () => {
      lost.reset()
      lost.inc(read())
    })
  })
}, { name: 'metrics', dependencies: ['requests'] })
