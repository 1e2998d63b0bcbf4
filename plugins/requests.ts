import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { Problem } from '../services/problems.js'

/** The caller's X-Request-Id where it is a plain word, or a new one. */
export function requestId ({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const given = headers['x-request-id']
  return typeof given === 'string' && /^[\w.-]{1,128}$/.test(given) ? given : randomUUID()
}

/** How every request comes in and goes out: its id, its body as JSON, one line in the log. */
export default fp(async function requests (app: FastifyInstance) {
  const parseJson = app.getDefaultJsonParser('error', 'error')

  app.removeAllContentTypeParsers()
  // JSON under a wrong or no type is JSON all the same (`curl -d` sends x-www-form-urlencoded); no body is no body.
  app.addContentTypeParser('*', { parseAs: 'string' }, (request, body, done) => {
    const text = body as string
    if (text === '') return done(null, undefined)
    parseJson(request, text, (error: Error | null, value?: unknown) =>
      error ? done(unreadable(request.headers)) : done(null, value))
  })

  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id)
    reply.cacheControl('no-store')
  })

  app.addHook('onResponse', async (request, reply) => {
    const { method, url, routeOptions: { config: { operationId } } } = request
    const { statusCode: status, elapsedTime } = reply
    request.log.info({ method, url, operationId, status, milliseconds: Math.round(elapsedTime) }, 'request ended')
  })
}, { name: 'requests', dependencies: ['@fastify/sensible'] })

function unreadable (headers: IncomingMessage['headers']): Problem {
  const type = headers['content-type']
  return type === undefined || /json/i.test(type)
    ? new Problem('malformed-json', {
      detail: 'The body is not valid JSON, or has a key named __proto__.',
      hint: "Check it with 'jq . FILE'. With curl, send a file by --data-binary @FILE."
    })
    : new Problem('unsupported-media-type', {
      detail: 'The body is not JSON, and its Content-Type does not say so either.',
      hint: 'Send JSON with Content-Type: application/json.'
    })
}
