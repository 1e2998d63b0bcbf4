import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Logger } from 'pino'
import { LONGEST_URL, refuseConnect, urlTooLong } from '../services/problems/malformed-http.js'
import { Problem } from '../services/problems/index.js'
import { results } from '../services/replies/results.js'
import { flatLines } from '../services/process/flat-lines.js'
import { traceOf, type Trace } from '../services/process/trace.js'

declare module 'fastify' {
  interface FastifyRequest {
    /** The trace that the caller has begun, if any. */
    readonly trace: Trace | undefined
    /** The same, once it was asked for. */
    begunTrace: Trace | null
  }
}

/** The caller's X-Request-Id where it is a plain word, or a new one. */
export function requestId ({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const given = headers['x-request-id']
  return typeof given === 'string' && /^[\w.-]{1,128}$/.test(given) ? given : randomUUID()
}

/** A token that somebody put into the URL, as it is or encoded. */
const hash = /(?:\$|%24)2[aby](?:\$|%24)\d\d(?:\$|%24)[./\w%]{53,}/gi

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Levels that a body may be nested. Spot's objects have about ten; what has thousands can be read, but not written. */
const DEEPEST = 100

/** What of a JSON value would not reach Spot as it came: `1e999` is read as Infinity, which is written as null. */
function lossOf (value: unknown, levels = DEEPEST): string | undefined {
  if (typeof value === 'number' && !Number.isFinite(value)) return 'has a number beyond the range of doubles'
  if (typeof value !== 'object' || value === null) return undefined
  if (levels === 0) return `is nested deeper than ${DEEPEST} levels`
  for (const inner of Object.values(value)) {
    const loss = lossOf(inner, levels - 1)
    if (loss) return loss
  }
}

/** How every request comes in and goes out: its id, its body as JSON, one line in the log. */
export default fp(async function requests (app: FastifyInstance) {
  const parseJson = app.getDefaultJsonParser('error', 'error')

  app.removeAllContentTypeParsers()
  // JSON under a wrong or no type is JSON all the same (`curl -d` sends x-www-form-urlencoded); no body is no body.
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (request, body, done) => {
    if (body.length === 0) return done(null, undefined)
    let text: string
    try {
      text = utf8.decode(body as Buffer)
    } catch {
      return done(unreadable(request.headers))
    }
    parseJson(request, text, (error: Error | null, value?: unknown) => {
      if (error) return done(unreadable(request.headers))
      const loss = lossOf(value)
      return loss ? done(lossy(loss)) : done(null, value)
    })
  })

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

  app.decorateRequest('begunTrace', null)
  app.decorateRequest('trace', {
    getter (this: FastifyRequest) {
      const { traceparent } = this.headers
      if (traceparent === undefined) return undefined
      this.begunTrace ??= traceOf(traceparent) ?? null
      return this.begunTrace ?? undefined
    }
  })

  /** What the one line of a request says. Memory and calls are told of where a token was right. */
  const summary = (request: FastifyRequest, { statusCode, elapsedTime }: FastifyReply) => ({
    requestId: request.id,
    method: request.method,
    url: request.url.replace(hash, '(token)'),
    operationId: request.routeOptions.config.operationId,
    client: request.client?.name,
    account: (request.params as { account?: string } | undefined)?.account,
    status: statusCode,
    milliseconds: Math.round(elapsedTime),
    ...request.client && {
      cache: request.source ? results[request.source].result : undefined, calls: request.openedAccount?.calls ?? 0
    },
    traceId: request.trace?.id
  })

  const ended = flatLines(app.log as Logger, 'request ended')
  app.addHook('onResponse', (request, reply, done) => {
    ended(summary(request, reply))
    done()
  })

  // There is no response then, but a write went on without its caller: nobody but the log learns how it ended.
  app.addHook('onSend', (request, reply, payload, done) => {
    if (reply.raw.destroyed) app.log.info(summary(request, reply), 'caller hung up before its answer')
    done(null, payload)
  })
}, { name: 'requests', dependencies: ['@fastify/sensible'] })

const lossy = (message: string) =>
  new Problem('invalid-request', { detail: `The body ${message}.`, errors: [{ pointer: '#', code: 'lossy', message }] })

function unreadable (headers: IncomingMessage['headers']): Problem {
  const type = headers['content-type']
  return type === undefined || /json/i.test(type)
    ? new Problem('malformed-json', {
      detail: 'The body is not valid JSON in UTF-8, or has a key named __proto__.',
      hint: "Check it with 'jq . FILE'. With curl, send a file by --data-binary @FILE."
    })
    : new Problem('unsupported-media-type', {
      detail: 'The body is not JSON, and its Content-Type does not say so either.',
      hint: 'Send JSON with Content-Type: application/json.'
    })
}
