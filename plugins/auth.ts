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
    verifyToken: (request: FastifyRequest, reply: FastifyReply, done: () => void) => Promise<void> | undefined
  }
}

/** Seconds after which some of the checks that wait are done. */
const RETRY_AFTER = 2

export default fp(async function auth (app) {
  await app.register(fastifyAuth)
  const failures = failureLimit()
  const check = tokenCheck(app.configuration.key, failures)

  function take (result: Result, address: string) {
    app.measurements.auth.inc({ result })
    if (result !== 'valid') throw problemOf(result, failures.secondsLeft(address))
  }

  app.decorate('verifyToken', ({ headers: { 'x-auth-token': header }, ip }, _, done) => {
    const result = check(Array.isArray(header) ? header[0] : header, ip)
    if (typeof result !== 'string') return result.then((result) => take(result, ip))
    take(result, ip)
    done() // a token that is known takes no turn of the event loop
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
