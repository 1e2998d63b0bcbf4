import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { version } from '../services/process/release.js'
import type { Account } from '../services/spot/account.js'
import { createAccounts, type Accounts } from '../services/spot/accounts.js'
import { systemClock as clock } from '../services/spot/clock.js'
import { createLimit } from '../services/spot/stages/limit/index.js'
import { localCounters } from '../services/spot/stages/memory/counters.js'
import { Memory } from '../services/spot/stages/memory/index.js'
import { wantsFresh } from './replies.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** Spot, by the names of the configured accounts. */
    spot: Accounts
    /** What Spot said of late. */
    memory: Memory
  }
  interface FastifyRequest {
    /**
     * The Spot account that the path names, for the time this request has.
     * @throws {Problem} account-not-found
     */
    readonly account: Account
    /** The same, once it was asked for. */
    openedAccount: Account | null
  }
}

export default fp(async function spot (app: FastifyInstance) {
  const { upstream, heldBack, budget: standings } = app.measurements
  const { accounts: settings, deadlines: within, state, reads, settle } = app.configuration
  const redis = 'redis' in state ? state.redis : undefined

  const counters = redis === undefined ? localCounters(clock.now) : await redisCounters(redis)
  const memory = new Memory({ ...reads, settle, counters, clock })
  const limit = createLimit({
    clock,
    redis,
    shareOf: (client) => client === '' || app.configuration.clients.length === 1 ? 1 : app.configuration.share,
    onBlock (blocked, about) {
      if (blocked) app.log.warn(about, 'Spot takes no more calls of this kind')
      else app.log.info(about, 'Spot takes calls of this kind again')
    },
    onShared (shared) {
      if (shared) app.log.info('Redis is back: the rate limit of Spot is shared again')
      else app.log.warn('Redis cannot be used: this server keeps the rate limit of Spot alone')
    }
  })
  standings(() => limit.standings())

  const accounts = createAccounts(settings, {
    version,
    within,
    memory,
    limit,
    clock,
    observe (account, { operation, kind, outcome, seconds, error }) {
      upstream.observe({ account, kind, outcome }, seconds)
      const { code, details } = error ?? {}
      app.log.debug({ account, operation, outcome, seconds, code, upstream: details?.upstream }, 'call to Spot ended')
    }
  })
  heldBack(() => accounts.heldBack())
  app.onConfiguration(({ accounts: settings }) => {
    memory.clear()
    accounts.use(settings)
  })
  app.addHook('onListen', () => {
    accounts.warmUp()
    limit.open()
  })
  app.addHook('onClose', async () => {
    limit.close()
    accounts.close()
  })

  /** Loaded only where there is a Redis: it would be a good part of the start. */
  async function redisCounters (url: string) {
    const { redisWords } = await import('../services/spot/stages/memory/redis-words.js')
    const { sharedCounters } = await import('../services/spot/stages/memory/shared-counters.js')
    const counters = sharedCounters({
      words: redisWords(url),
      clock,
      onChange (usable) {
        if (usable) app.log.info('Redis is back: answers are remembered again')
        else app.log.warn('Redis cannot be used: nothing is remembered, each read asks Spot')
      }
    })
    app.addHook('onListen', () => counters.open())
    app.addHook('onClose', async () => counters.close())
    return counters
  }

  app.decorate('spot', accounts)
  app.decorate('memory', memory)
  app.decorateRequest('openedAccount', null)
  app.decorateRequest('account', {
    getter (this: FastifyRequest) {
      this.openedAccount ??= this.server.spot.account((this.params as { account: string }).account, {
        kind: this.routeOptions.config.kind === 'write' ? 'write' : 'read',
        client: this.client?.name ?? '',
        fresh: wantsFresh(this),
        dryRun: (this.query as { dryRun?: boolean }).dryRun === true,
        traceparent: this.trace?.parent
      })
      return this.openedAccount
    }
  })
}, { name: 'spot', dependencies: ['config', 'metrics'] })
