import type { FastifyInstance, FastifyRequest, onRequestHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import type { Need, OperationRow } from '../openapi/operations.js'
import { denialOf, endingOf, forbidden, type Client } from '../services/access/clients.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** Hooks that let a request pass whose client may do it. @throws {Problem} forbidden */
    permit: {
      /** The metrics: to everybody, unless the setting `metrics` wants a token. */
      metrics: onRequestHookHandler
      /** In the account of the path: before the body is read, before memory. */
      operation: onRequestHookHandler
      /**
       * With this body, which may ask for more than the operation alone, and by the configuration of now: it may have
       * been reloaded while the body arrived, or while guardrails were judged.
       *
       * @throws {Problem} unauthenticated, too, for a client that is gone
       */
      body: (request: FastifyRequest, reply: FastifyReply) => Promise<void>
    }
  }
}

export default fp(async function permission (app: FastifyInstance) {
  const { refusals } = app.measurements

  function allow (request: FastifyRequest, need: Need, ending?: ReturnType<typeof endingOf>) {
    const { account } = request.params as { account?: string }
    const client = request.client as Client
    const denial = denialOf(client, account, need)
    if (denial === undefined) return
    refusals.count(denial)
    throw forbidden(client, denial, account, ending)
  }
  const rowOf = ({ operation }: FastifyRequest) => operation as OperationRow & { needs: Need }

  app.decorate('permit', {
    metrics (request, reply, done) {
      return app.configuration.metrics === 'public' ? done() : app.verifyToken(request, reply, done)
    },
    operation (request, _, done) {
      allow(request, rowOf(request).needs)
      done()
    },
    async body (request, reply) {
      await app.verifyToken(request, reply, () => {})
      const row = rowOf(request)
      const ending = endingOf(row, request.body)
      allow(request, ending ? 'delete' : row.needs, ending)
    }
  })
}, { name: 'permission', dependencies: ['config', 'metrics', 'auth'] })
