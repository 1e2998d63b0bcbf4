import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { Configuration } from '../services/configuration/index.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** The checked configuration, secrets included: never log it. It is always the current one. */
    configuration: Configuration
  }
}

export default fp(async function config (app: FastifyInstance, { configuration }: { configuration: Configuration }) {
  app.decorate('configuration', { ...configuration })
}, { name: 'config' })
