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

/** Milliseconds between two warnings of secrets in Spot's answers. */
const REPORT_EVERY = 60_000

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

  let reported = -Infinity
  /** What Spot says without this server's secrets. Where one is, somebody put it there, or tries to guess it. */
  function conceal (text: string): string {
    const shown = app.conceal(text)
    if (shown !== text && performance.now() - reported > REPORT_EVERY) {
      reported = performance.now()
      const { accounts, clients } = app.configuration
      const whose = {
        clients: clients.filter(({ keys }) => keys.some((key) => text.includes(key))).map(({ name }) => name),
        accounts: Object.keys(accounts).filter((name) => text.includes(accounts[name]?.token ?? ''))
      }
      app.log.warn(whose, "Spot's answer has a secret of this server, which is masked: replace the secret")
    }
    return shown
  }

  const accounts = createAccounts(settings, {
    version,
    timeLimits,
    memory: app.memory,
    limit,
    clock,
    conceal,
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
