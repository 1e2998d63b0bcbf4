import fastifyAuth from '@fastify/auth'
import fp from 'fastify-plugin'
import { Problem } from '../services/problems.js'
import { failureLimit, refusals, tokenCheck, type Result } from '../services/tokens/index.js'

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * Lets a request pass whose X-Auth-Token is a bcrypt hash of the configured key.
     * @throws {Problem} unauthenticated; too-many-failures or overloaded when the token can not be checked now
     */
    verifyToken: (request: FastifyRequest) => Promise<void>
  }
}

/** Seconds after which some of the checks that wait are done. */
const RETRY_AFTER = 2

export default fp(async function auth (app) {
  await app.register(fastifyAuth)
  const failures = failureLimit()
  const check = tokenCheck(app.configuration.key, failures)

  app.decorate('verifyToken', async (request) => {
    const header = request.headers['x-auth-token']
    const result = await check(Array.isArray(header) ? header[0] : header, request.ip)
    app.measurements.auth.inc({ result })
    if (result !== 'valid') throw problemOf(result, failures.secondsLeft(request.ip))
  })
}, { name: 'auth', dependencies: ['config', 'metrics'] })

/** @param seconds until the caller may have a new token checked */
function problemOf (result: Exclude<Result, 'valid'>, seconds: number): Problem {
  if (result === 'limited') {
    return new Problem('too-many-failures', {
      detail: 'Too many wrong tokens came from your address. This one was not checked.',
      hint: 'Wait as many seconds as Retry-After says. Requests with a token that was found right before still pass.',
      headers: { 'retry-after': String(Math.max(1, seconds)) }
    })
  }
  if (result === 'overloaded') {
    return new Problem('overloaded', {
      detail: 'More tokens wait to be checked than this server takes. Yours was not checked.',
      hint: 'Wait as many seconds as Retry-After says. Requests with a token that was found right before still pass.',
      headers: { 'retry-after': String(RETRY_AFTER) }
    })
  }
  return new Problem('unauthenticated', {
    ...refusals[result],
    headers: { 'www-authenticate': 'ApiKey header="X-Auth-Token"' }
  })
}
