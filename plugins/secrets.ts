import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { secretsOf } from '../services/configuration/index.js'
import { concealing } from '../services/masking/index.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** A text without the secrets of the configuration: they are masked. */
    conceal: (text: string) => string
  }
}

export default fp(async function secrets (app: FastifyInstance) {
  let conceal: (text: string) => string
  app.reload.onChange((configuration) => { conceal = concealing(secretsOf(configuration)) })
  app.decorate('conceal', (text) => conceal(text))
}, { name: 'secrets', dependencies: ['config', 'reload'] })
