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
  const { upstream, watchBreakers, watchLimit } = app.measurements
  const { accounts: settings, deadlines: timeLimits, state } = app.configuration
  const limit = createLimit({
    clock,
    redis: 'redis' in state ? state.redis : undefined,
    shareOf: (client) => client === '' || app.configuration.clients.length === 1 ? 1 : app.configuration.share,
    onBlock (blocked, about) {
      if (blocked) app.log.warn(about, "Spot's rate limit for this route is used up: calls are refused")
      else app.log.info(about, "Spot's rate limit for this route has room again")
    },
    onShared (shared) {
      if (shared) app.log.info("Redis is back: the servers share Spot's rate limit again")
      else app.log.warn("Redis cannot be used: this server counts only its own calls for Spot's rate limit")
    }
  })
  watchLimit(() => limit.usage())

  const accounts = createAccounts(settings, {
    version,
    timeLimits,
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
  watchBreakers(() => accounts.breakerStates())
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
