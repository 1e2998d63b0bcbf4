import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { Budget, SharedLedger } from '../services/budget/index.js'
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
  const { upstream, heldBack, budget: standings } = app.measurements
  const { accounts: settings, deadlines, state } = app.configuration

  const budget = new Budget({
    ...'redis' in state && { ledger: new SharedLedger(state.redis, tellOfRedis) },
    tell (blocked, about) {
      if (blocked) app.log.warn(about, 'Spot takes no more calls of this kind')
      else app.log.info(about, 'Spot takes calls of this kind again')
    }
  })
  function tellOfRedis (shared: boolean) {
    if (shared) app.log.info('Redis is back: the rate limit of Spot is shared again')
    else app.log.warn('Redis can not be used: this server keeps the rate limit of Spot alone')
  }
  standings(() => budget.standings())

  const accounts = spotinst(settings, {
    version,
    within: deadlines,
    budget,
    observe (account, { operation, outcome, seconds, error }) {
      upstream.observe({ account, operation, outcome }, seconds)
      const { code, details } = error ?? {}
      app.log.debug({ account, operation, outcome, seconds, code, upstream: details?.upstream }, 'call to Spot ended')
    }
  })
  heldBack(() => accounts.heldBack())
  app.addHook('onListen', () => {
    accounts.warmUp()
    budget.open()
  })
  app.addHook('onClose', async () => accounts.close())

  app.decorate('spotinst', accounts)
  app.decorateRequest('spot', {
    getter (this: FastifyRequest) {
      const { account } = this.params as { account: string }
      return this.server.spotinst.account(account, this.method === 'GET' ? 'read' : 'write')
    }
  })
}, { name: 'spotinst', dependencies: ['config', 'metrics'] })
