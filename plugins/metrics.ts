import fp from 'fastify-plugin'
import fastifyMetrics from 'fastify-metrics'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { githash, version } from '../services/release.js'
import type { Result } from '../services/tokens/index.js'

declare module 'fastify' {
  interface FastifyInstance {
    measurements: {
      /** Everything that is measured, of this app alone. */
      registry: Registry
      /** Seconds of one call to Spot. Labels are closed sets: configured accounts, our operations, our outcomes. */
      upstream: Histogram<'account' | 'operation' | 'outcome'>
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

  // Its own endpoint is off: the contract has one. Summaries are off: beside the histogram they halve the throughput.
  await app.register(fastifyMetrics.default, {
    endpoint: null,
    defaultMetrics: { enabled: true, register: registry },
    routeMetrics: {
      enabled: { histogram: true, summary: false },
      overrides: { histogram: { registers }, summary: { registers: [new Registry()] } }
    }
  })

  app.decorate('measurements', { registry, upstream, auth })
}, { name: 'metrics' })
