import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { Configuration } from '../services/configuration/index.js'

declare module 'fastify' {
  interface FastifyInstance {
    reload: {
      /** Calls `take` with the configuration: at once, and whenever another one takes its place. */
      onChange (take: (configuration: Configuration) => void): void
      /**
       * Puts another configuration in the place of the one there is, all of it between two requests. What is needed to
       * listen, and where state is kept, stays as it was at the start.
       */
      apply (configuration: Configuration): void
    }
  }
}

export default fp(async function reload (app: FastifyInstance) {
  const takers: ((configuration: Configuration) => void)[] = []
  app.decorate('reload', {
    onChange (take) {
      takers.push(take)
      take(app.configuration)
    },
    apply ({ clients, accounts, organization }) {
      Object.assign(app.configuration, { clients, accounts, organization })
      for (const take of takers) take(app.configuration)
    }
  })
}, { name: 'reload', dependencies: ['config'] })
