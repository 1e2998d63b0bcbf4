import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { wantsFresh } from './reads.js'
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
     * The Spot account that the path names, for the time this request has.
     * @throws {Problem} account-not-found
     */
    readonly spot: Account
    /** The same, once it was asked for. */
    account: Account | null
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
    memory: app.reads.memory,
    forget: app.reads.forget,
    within: deadlines,
    budget,
    observe (account, { operation, outcome, seconds, error }) {
      upstream.observe({ account, operation, outcome }, seconds)
      const { code, details } = error ?? {}
      app.log.debug({ account, operation, outcome, seconds, code, upstream: details?.upstream }, 'call to Spot ended')
    }
  })
  app.onConfiguration(({ accounts: settings }) => accounts.use(settings))
  heldBack(() => accounts.heldBack())
  app.addHook('onListen', () => {
    accounts.warmUp()
    budget.open()
  })
  app.addHook('onClose', async () => accounts.close())

  app.decorate('spotinst', accounts)
  app.decorateRequest('account', null)
  app.decorateRequest('spot', {
    getter (this: FastifyRequest) {
      this.account ??= this.server.spotinst.account((this.params as { account: string }).account, {
        kind: this.method === 'GET' ? 'read' : 'write',
        fresh: wantsFresh(this),
        dryRun: (this.query as { dryRun?: boolean }).dryRun === true,
        traceparent: this.trace?.parent,
        told: (reading, result) => app.reads.told(this, reading, result),
        sent: (requestId) => {
          this.calls++
          this.spotRequestId = requestId
        }
      })
      return this.account
    }
  })
}, { name: 'spotinst', dependencies: ['config', 'metrics', 'reads'] })
