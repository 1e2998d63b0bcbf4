import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { version } from '../services/release.js'
import { spotinst, type Account, type Spotinst } from '../services/spotinst/index.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** Spot, by the names of the configured accounts. */
    spotinst: Spotinst
  }
  interface FastifyRequest {
    /**
     * The Spot account that the path names, for the time this request has. Ask for it once a request.
     * @throws {Problem} account-not-found
     */
    readonly spot: Account
  }
}

export default fp(async function spot (app: FastifyInstance) {
  const { upstream, heldBack } = app.measurements
  const accounts = spotinst(app.configuration.accounts, {
    version,
    within: app.configuration.deadlines,
    observe (account, { operation, outcome, seconds, error }) {
      upstream.observe({ account, operation, outcome }, seconds)
      const { code, details } = error ?? {}
      app.log.debug({ account, operation, outcome, seconds, code, upstream: details?.upstream }, 'call to Spot ended')
    }
  })
  heldBack(() => accounts.heldBack())
  app.addHook('onListen', () => { accounts.warmUp() })
  app.addHook('onClose', async () => accounts.close())

  app.decorate('spotinst', accounts)
  app.decorateRequest('spot', {
    getter (this: FastifyRequest) {
      const { account } = this.params as { account: string }
      return this.server.spotinst.account(account, this.method === 'GET' ? 'read' : 'write')
    }
  })
}, { name: 'spotinst', dependencies: ['config', 'metrics'] })
