import fastifyAuth from '@fastify/auth'
import fp from 'fastify-plugin'
import { Problem } from '../services/problems.js'
import { refusals, tokenCheck } from '../services/tokens/index.js'

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * Lets a request pass whose X-Auth-Token is a bcrypt hash of the configured key.
     * @throws {Problem} unauthenticated
     */
    verifyToken: (request: FastifyRequest) => Promise<void>
  }
}

export default fp(async function auth (app) {
  await app.register(fastifyAuth)
  const check = tokenCheck(app.configuration.key)

  app.decorate('verifyToken', async (request) => {
    const header = request.headers['x-auth-token']
    const result = await check(Array.isArray(header) ? header[0] : header)
    app.measurements.auth.inc({ result })
    if (result === 'valid') return
    throw new Problem('unauthenticated', {
      ...refusals[result],
      headers: { 'www-authenticate': 'ApiKey header="X-Auth-Token"' }
    })
  })
}, { name: 'auth', dependencies: ['config', 'metrics'] })
