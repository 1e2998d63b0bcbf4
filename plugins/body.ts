import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { OperationRow } from '../openapi/operations.js'
import { Problem } from '../services/problems/index.js'
import { isObject } from '../services/resources/json.js'
import { textOf } from '../services/resources/utf8.js'

/** Levels of nesting. Spot's objects have about ten. JSON.parse reads thousands, which JSON.stringify cannot write. */
const MAX_DEPTH = 100

/** What of a JSON value would not reach Spot unchanged: `1e999` is parsed as Infinity, which is written as null. */
function lossOf (value: unknown, levels = MAX_DEPTH): string | undefined {
  if (typeof value === 'number' && !Number.isFinite(value)) return 'has a number that is too large, such as 1e999'
  if (typeof value !== 'object' || value === null) return undefined
  if (levels === 0) return `is nested deeper than ${MAX_DEPTH} levels`
  for (const inner of Object.values(value)) {
    const loss = lossOf(inner, levels - 1)
    if (loss) return loss
  }
}

/**
 * Reads bodies as JSON. What JSON.parse or JSON.stringify would change is refused, except integers beyond 2^53, which
 * lose digits.
 */
export default fp(async function body (app: FastifyInstance) {
  const parseJson = app.getDefaultJsonParser('error', 'error')

  app.removeAllContentTypeParsers()
  // The Content-Type does not matter if the body is JSON: `curl -d` sends it as x-www-form-urlencoded.
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (request, body, done) => {
    if (body.length === 0) return done(null, undefined)
    const text = textOf(body as Buffer)
    if (text === undefined) return done(unreadable(request))
    parseJson(request, text, (error: Error | null, value?: unknown) => {
      if (error) return done(unreadable(request))
      const loss = lossOf(value)
      return loss ? done(lossy(loss)) : done(null, value)
    })
  })
  // A body that would not reach Spot is refused, not dropped. An empty object is accepted: some SDKs send one.
  app.addHook('preHandler', (request, _, done) => {
    const { body, operation: { hasBody, query } } = request
    if (hasBody !== false) return done()
    const isUnwanted = body === undefined
      ? mayHaveBody(request)
      : !isObject(body) || Object.keys(body).length > 0
    request.body = undefined
    done(isUnwanted ? unwanted(query) : undefined)
  })
}, { name: 'body', dependencies: ['@fastify/sensible', 'requests'] })

/** Whether a read, whose body nobody parses, has one that is more than `{}`. */
export function mayHaveBody ({ headers, operation: { kind } }: FastifyRequest): boolean {
  const { 'content-length': length = '0', 'transfer-encoding': coding } = headers
  return kind !== 'write' && (coding !== undefined || Number(length) > 2)
}

const lossy = (message: string) =>
  new Problem('invalid-request', {
    detail: `The body ${message}.`,
    hint: `Send numbers below 1.8e308, and at most ${MAX_DEPTH} levels.`,
    errors: [{ pointer: '#', code: 'lossy', message }]
  })

function unwanted (query: OperationRow['query'] = []): Problem {
  const options = query.filter((name) => name !== 'dryRun')
  const instead = options.length === 0 ? '' : ` Use query parameters instead: ${options.join(', ')}.`
  return new Problem('invalid-request', {
    detail: 'This operation takes no body: what was sent would not reach Spot.',
    hint: `Leave the body out.${instead}`,
    errors: [{ pointer: '#', code: 'body', message: 'must not be sent' }]
  })
}

function unreadable (request: FastifyRequest): Problem {
  return request.headers['content-type'] === undefined || request.is('json', '+json', 'text/json')
    ? new Problem('malformed-json', {
      detail: 'The body is not valid JSON in UTF-8, or has a key __proto__ or constructor.prototype.',
      hint: "Check it with 'jq . FILE'. With curl, send a file by --data-binary @FILE."
    })
    : new Problem('unsupported-media-type', {
      detail: 'The body is not JSON, and neither is its Content-Type.',
      hint: 'Send JSON with Content-Type: application/json.'
    })
}
