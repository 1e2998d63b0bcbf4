import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { livePartsOf, type Configuration } from '../services/configuration/index.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** The checked configuration, secrets included: never log it. */
    configuration: Configuration
    /** Calls `apply` with the configuration: now, and after each reload. */
    onConfiguration: (apply: (configuration: Configuration) => void) => void
    /** Applies the settings of another configuration that are live, all of them between two requests. */
    configure: (configuration: Configuration) => void
  }
}

export default fp(async function config (app: FastifyInstance, { configuration }: { configuration: Configuration }) {
  const listeners: ((configuration: Configuration) => void)[] = []
  const current = { ...configuration }
  app.decorate('configuration', current)
  app.decorate('onConfiguration', (apply) => {
    listeners.push(apply)
    apply(current)
  })
  app.decorate('configure', (next) => {
    Object.assign(current, livePartsOf(next))
    for (const apply of listeners) apply(current)
  })
}, { name: 'config' })
