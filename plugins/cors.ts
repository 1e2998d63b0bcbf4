import fastifyCors, { type FastifyCorsOptions } from '@fastify/cors'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'

/** Headers that a page may read, beside those that every page may. */
const EXPOSED = [
  'Location', 'ETag', 'Retry-After', 'Link', 'X-Request-Id', 'Idempotency-Replayed', 'Cache-Status'
]

/** Any header may be sent: the token decides, and no cookie counts. Browsers ask anew after ten minutes. */
const allowed: FastifyCorsOptions = {
  origin: true, methods: ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'], exposedHeaders: EXPOSED, maxAge: 600
}

/**
 * Lets pages of the configured origins call this server. What comes from elsewhere, or is no preflight, is answered as
 * without this: its browser shows the page nothing of it.
 */
export default fp(async function cors (app: FastifyInstance) {
  const origins = new Set(app.configuration.cors)
  if (origins.size === 0) return
  await app.register(fastifyCors, {
    delegator ({ method, headers }: FastifyRequest, done: (error: null, options: FastifyCorsOptions) => void) {
      const isPreflight = headers['access-control-request-method'] !== undefined
      const isAllowed = origins.has(headers.origin ?? '') && (method !== 'OPTIONS' || isPreflight)
      done(null, isAllowed ? allowed : { origin: false })
    }
  })
}, { name: 'cors', dependencies: ['config', 'requests'] })
