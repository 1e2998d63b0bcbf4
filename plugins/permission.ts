import type { FastifyInstance, FastifyRequest, onRequestHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import type { Need, OperationRow } from '../openapi/operations.js'
import { denialOf, forbidden, needOfBody, type Client } from '../services/access/clients.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** Hooks that let a request pass whose client may do it. @throws {Problem} forbidden */
    permit: {
      /** In the account of the path: before the body is read, before memory. */
      operation: onRequestHookHandler
      /** With this body, which may ask for more than the operation alone. */
      body: onRequestHookHandler
    }
  }
}

export default fp(async function permission (app: FastifyInstance) {
  const { refusals } = app.measurements

  function allow (request: FastifyRequest, need: Need) {
    const { account } = request.params as { account?: string }
    const client = request.client as Client
    const denial = denialOf(client, account, need)
    if (denial === undefined) return
    refusals.count(denial)
    throw forbidden(client, denial, account)
  }
  const rowOf = ({ routeOptions }: FastifyRequest) => routeOptions.config as OperationRow & { needs: Need }

  app.decorate('permit', {
    operation (request, _, done) {
      allow(request, rowOf(request).needs)
      done()
    },
    body (request, _, done) {
      allow(request, needOfBody(rowOf(request), request.body))
      done()
    }
  })
}, { name: 'permission', dependencies: ['metrics', 'auth'] })
