import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { traceOf, type Trace } from '../services/process/trace.js'

declare module 'fastify' {
  interface FastifyRequest {
    /** The trace that the caller has begun, if any. It is the same one whenever it is asked for. */
    readonly trace: Trace | undefined
  }
}

export default fp(async function trace (app: FastifyInstance) {
  const begun = new WeakMap<FastifyRequest, Trace | undefined>()

  app.decorateRequest('trace', {
    getter (this: FastifyRequest) {
      const { traceparent } = this.headers
      if (traceparent === undefined) return undefined
      if (!begun.has(this)) begun.set(this, traceOf(traceparent))
      return begun.get(this)
    }
  })
}, { name: 'trace' })
