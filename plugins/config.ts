import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { Configuration } from '../services/configuration/index.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** The checked configuration, secrets included: never log it. */
    configuration: Configuration
    /** Takes what is to be told of the configuration: at once, and whenever another one takes its place. */
    onConfiguration: (take: (configuration: Configuration) => void) => void
    /**
     * Puts another configuration in the place of the one there is, all of it between two requests. What is needed to
     * listen, and where state is kept, stays as it was at the start.
     */
    configure: (configuration: Configuration) => void
  }
}

export default fp(async function config (app: FastifyInstance, { configuration }: { configuration: Configuration }) {
  const takers: ((configuration: Configuration) => void)[] = []
  const current = { ...configuration }
  app.decorate('configuration', current)
  app.decorate('onConfiguration', (take) => {
    takers.push(take)
    take(current)
  })
  app.decorate('configure', ({ clients, accounts, organization }) => {
    Object.assign(current, { clients, accounts, organization })
    for (const take of takers) take(current)
  })
}, { name: 'config' })
