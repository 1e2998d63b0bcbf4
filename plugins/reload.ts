import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { livePartsOf, type Configuration } from '../services/configuration/index.js'

declare module 'fastify' {
  interface FastifyInstance {
    reload: {
      /** Calls `apply` with the configuration: now, and after each reload. */
      onChange (apply: (configuration: Configuration) => void): void
      /** Applies the settings of another configuration that are live, all of them between two requests. */
      apply (configuration: Configuration): void
    }
  }
}

export default fp(async function reload (app: FastifyInstance) {
  const listeners: ((configuration: Configuration) => void)[] = []
  app.decorate('reload', {
    onChange (apply) {
      listeners.push(apply)
      apply(app.configuration)
    },
    apply (next) {
      Object.assign(app.configuration, livePartsOf(next))
      for (const apply of listeners) apply(app.configuration)
    }
  })
}, { name: 'reload', dependencies: ['config'] })
