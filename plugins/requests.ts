import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { LONGEST_URL, refuseConnect, urlTooLong } from '../services/problems/malformed-http.js'
import { Problem } from '../services/problems/index.js'

/** The caller's X-Request-Id where it is a plain word, or a new one. */
export function requestId ({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const given = headers['x-request-id']
  return typeof given === 'string' && /^[\w.-]{1,128}$/.test(given) ? given : randomUUID()
}

/** Every request has an id, which its answer names; what is not HTTP as we take it is refused. */
export default fp(async function requests (app: FastifyInstance) {
  // Node would answer these by itself, without a problem: https://nodejs.org/api/http.html#event-checkexpectation
  app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response))
  Object.assign(app.server, { requireHostHeader: false })
  app.server.on('connect', (_, socket) => refuseConnect(socket))

  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id)
    reply.header('cache-control', 'no-store')
    if (request.raw.httpVersion === '1.1' && request.headers.host === undefined) {
      return done(new Problem('malformed-request', { detail: 'HTTP/1.1 needs a Host header.' }))
    }
    done(request.url.length > LONGEST_URL ? urlTooLong() : undefined)
  })
}, { name: 'requests' })
