import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { version } from '../services/process/release.js'
import { createAccounts, type Accounts } from '../services/spot/accounts.js'
import { systemClock as clock } from '../services/spot/clock.js'
import { createLimit } from '../services/spot/stages/limit/index.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** Spot, by the names of the configured accounts. */
    spot: Accounts
  }
}

export default fp(async function spot (app: FastifyInstance) {
  const { upstream, openBreakers, budget } = app.measurements
  const { accounts: settings, deadlines: within, state } = app.configuration
  const limit = createLimit({
    clock,
    redis: 'redis' in state ? state.redis : undefined,
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
  budget(() => limit.usage())

  const accounts = createAccounts(settings, {
    version,
    within,
    memory: app.memory,
    limit,
    clock,
    conceal: app.conceal,
    observe (account, { operation, kind, outcome, seconds, error }) {
      upstream.observe({ account, kind, outcome }, seconds)
      const { code, details } = error ?? {}
      app.log.debug({ account, operation, outcome, seconds, code, upstream: details?.upstream }, 'call to Spot ended')
    }
  })
  openBreakers(() => accounts.openBreakers())
  app.reload.onChange(({ accounts: settings }) => accounts.replaceAll(settings))
  app.addHook('onListen', () => {
    accounts.warmUp()
    limit.open()
  })
  app.addHook('onClose', async () => {
    limit.close()
    accounts.close()
  })

  app.decorate('spot', accounts)
}, { name: 'spot', dependencies: ['config', 'reload', 'secrets', 'metrics', 'memory'] })
