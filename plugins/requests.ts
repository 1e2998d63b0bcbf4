import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { LONGEST_URL, refuseConnect, SECURITY_HEADERS, urlTooLong } from '../services/problems/malformed-http.js'
import { Problem } from '../services/problems/index.js'

declare module 'fastify' {
  interface FastifyRequest {
    /** The row of the operation that is asked for, and its route; without an `operationId` where it is none. */
    operation: FastifyContextConfig & { url?: string }
  }
}

/**
 * The caller's X-Request-Id where it is a plain word, or a new one. One that holds a secret is kept, too: to replace it
 * would tell everybody whether a guess is right. Log and audit mask it.
 */
export function requestId ({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const given = headers['x-request-id']
  return typeof given === 'string' && /^[\w.-]{1,128}$/.test(given) ? given : randomUUID()
}

/** A path at which nothing is. */
const NOWHERE = '/-'

/** Requests with a path that Fastify cannot route, their URL, and why. */
const unroutable = new WeakMap<IncomingMessage, { url: string | undefined, error: FastifyError }>()

/**
 * Fastify answers a path that it cannot decode, or with a part that is too long, without any hook. Routed once more, to
 * where nothing is, it is logged and counted, and has the headers of every answer.
 */
export function routeNowhere (error: FastifyError, { raw, server }: FastifyRequest, reply: FastifyReply) {
  unroutable.set(raw, { url: raw.url, error })
  raw.url = NOWHERE
  server.routing(raw, reply.raw)
}

/** Why Fastify could not route a request, if so. */
export const routingError = (request: FastifyRequest) => unroutable.get(request.raw)?.error

/** Every request has an id, which its answer names, and an operation. What is not HTTP as we take it is refused. */
export default fp(async function requests (app: FastifyInstance) {
  // Node would answer these by itself, without a problem: https://nodejs.org/api/http.html#event-checkexpectation
  app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response))
  Object.assign(app.server, { requireHostHeader: false })
  app.server.on('connect', (_, socket) => refuseConnect(socket))

  app.decorateRequest('operation', null as never)
  app.addHook('onRequest', (request, reply, done) => {
    // Fastify makes an object of twelve properties each time it is asked for its options.
    request.operation = request.routeOptions.config
    if (request.raw.url === NOWHERE) request.raw.url = unroutable.get(request.raw)?.url ?? NOWHERE
    reply.header('x-request-id', request.id)
    reply.header('cache-control', 'no-store')
    reply.headers(SECURITY_HEADERS)
    const hosts = hostsIn(request.raw.rawHeaders)
    if (hosts > 1 || (hosts === 0 && request.raw.httpVersion === '1.1')) {
      return done(new Problem('malformed-request', { detail: 'HTTP/1.1 needs one Host header, and no more.' }))
    }
    done(request.url.length > LONGEST_URL ? urlTooLong() : undefined)
  })
}, { name: 'requests' })

/** Node keeps only the first: https://www.rfc-editor.org/rfc/rfc9112#section-3.2-6 */
function hostsIn (rawHeaders: string[]): number {
  let hosts = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string
    if (name.length === 4 && name.toLowerCase() === 'host') hosts++
  }
  return hosts
}
