import fastifyAuth from '@fastify/auth'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Client } from '../services/access/clients.js'
import { Problem } from '../services/problems/index.js'
import { failureLimit, refusals, tokens, type Delay, type Refusal, type Verdict } from '../services/access/tokens.js'

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * Lets a request pass whose X-Auth-Token is a bcrypt hash of a client's key, and says whose.
     * The second time it only sees to it that this still holds: the configuration may have changed meanwhile.
     * @throws {Problem} unauthenticated; too-many-failures or overloaded if the token cannot be checked now
     */
    verifyToken: (request: FastifyRequest, reply: FastifyReply, done: () => void) => Promise<void> | undefined
  }
  interface FastifyRequest {
    /** Who calls, once the token was verified. */
    client: Client | null
  }
}

/** Seconds after which some of the checks that wait are done. */
const RETRY_AFTER = 2

export default fp(async function auth (app: FastifyInstance) {
  await app.register(fastifyAuth)
  const { measurements: { auth: results, refusals: refused }, configuration: { deadlines } } = app
  const failures = failureLimit()
  const { check, use } = tokens<Client>([], { tries: app.configuration.keysTried, failures })
  app.reload.onChange(({ clients }) => use(clients))

  function take (verdict: Verdict<Client>, request: FastifyRequest) {
    const result = typeof verdict === 'string' ? verdict : isExpired(verdict) ? 'expired' : 'valid'
    results.count(result)
    if (typeof verdict === 'string') throw problemOf(verdict, failures.secondsLeft(request.ip))
    if (result === 'expired') {
      refused.count(result)
      throw expired(verdict)
    }
    request.client = verdict
  }

  const isCurrent = (client: Client) => app.configuration.clients.includes(client) && !isExpired(client)

  app.decorateRequest('client', null)
  app.decorate('verifyToken', (request, _, done) => {
    if (request.client && isCurrent(request.client)) return done() as undefined
    const { kind, tokenOptional } = request.operation
    const { authorization, 'x-auth-client': name } = request.headers
    const token = request.headers['x-auth-token'] ?? (tokenOptional ? bearerIn(authorization) : undefined)
    const within = deadlines[kind === 'write' ? 'write' : 'read']
    // Generated clients send an empty name where none is set.
    const verdict = check(one(token), { address: request.ip, name: one(name) || undefined, within })
    if (verdict instanceof Promise) return verdict.then((verdict) => take(verdict, request))
    take(verdict, request)
    done() // a token that is known takes no turn of the event loop
  })
}, { name: 'auth', dependencies: ['config', 'reload', 'metrics'] })

const one = (header: string | string[] | undefined) => Array.isArray(header) ? header[0] : header

/** https://www.rfc-editor.org/rfc/rfc6750#section-2.1 */
const bearerIn = (authorization = '') => /^bearer +(\S+) *$/i.exec(authorization)?.[1]

const isExpired = ({ expires }: Client) => expires !== undefined && Date.now() >= expires

const CHALLENGE = { 'www-authenticate': 'ApiKey header="X-Auth-Token"' }

const expired = ({ name, expires = 0 }: Client) => new Problem('unauthenticated', {
  detail: `The keys of the client ${name} ended at ${new Date(expires).toISOString()}.`,
  hint: 'Ask the operator for a new one, or for more time: "expires" in the configuration.',
  headers: CHALLENGE
})

/** @param seconds until the caller may have a new token checked */
function problemOf (refusal: Refusal | Delay, seconds: number): Problem {
  if (refusal === 'limited') {
    return new Problem('too-many-failures', {
      detail: 'Too many wrong tokens came from your address. This one was not checked.',
      hint: 'Wait as many seconds as Retry-After says. Requests with a token that was found right before still pass.',
      headers: { 'retry-after': String(Math.max(1, seconds)) }
    })
  }
  if (refusal === 'overloaded') {
    return new Problem('overloaded', {
      detail: 'Too many tokens wait to be checked. Yours was not checked.',
      hint: 'Wait as many seconds as Retry-After says. Requests with a token that was found right before still pass.',
      headers: { 'retry-after': String(RETRY_AFTER) }
    })
  }
  return new Problem('unauthenticated', { ...refusals[refusal], headers: CHALLENGE })
}
