import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { wantsFresh } from './reads.js'
import { version } from '../services/release.js'
import { spotinst, type Account, type Spotinst } from '../services/spotinst/index.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** Spot, by the names of the configured accounts. */
    spotinst: Spotinst
  }
  interface FastifyRequest {
    /**
     * The Spot account that the path names, for the time this request has.
     * @throws {Problem} account-not-found
     */
    readonly spot: Account
    /** The same, once it was asked for. */
    account: Account | null
  }
}

export default fp(async function spot (app: FastifyInstance) {
  const { upstream, heldBack } = app.measurements
  const accounts = spotinst(app.configuration.accounts, {
    version,
    memory: app.reads.memory,
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
  app.decorateRequest('account', null)
  app.decorateRequest('spot', {
    getter (this: FastifyRequest) {
      this.account ??= this.server.spotinst.account((this.params as { account: string }).account, {
        kind: this.method === 'GET' ? 'read' : 'write',
        fresh: wantsFresh(this),
        told: (reading, result) => app.reads.told(this, reading, result)
      })
      return this.account
    }
  })
}, { name: 'spotinst', dependencies: ['config', 'metrics', 'reads'] })
