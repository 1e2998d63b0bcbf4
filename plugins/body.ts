import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { OperationRow } from '../openapi/operations.js'
import { Problem } from '../services/problems/index.js'
import { isObject } from '../services/resources/json.js'

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Levels that a body may be nested. Spot's objects have about ten; what has thousands can be read, but not written. */
const DEEPEST = 100

/** What of a JSON value would not reach Spot unchanged: `1e999` is parsed as Infinity, which is written as null. */
function lossOf (value: unknown, levels = DEEPEST): string | undefined {
  if (typeof value === 'number' && !Number.isFinite(value)) return 'has a number beyond the range of doubles'
  if (typeof value !== 'object' || value === null) return undefined
  if (levels === 0) return `is nested deeper than ${DEEPEST} levels`
  for (const inner of Object.values(value)) {
    const loss = lossOf(inner, levels - 1)
    if (loss) return loss
  }
}

/** Bodies are JSON, and reach Spot as they came, or are refused. */
export default fp(async function body (app: FastifyInstance) {
  const parseJson = app.getDefaultJsonParser('error', 'error')

  app.removeAllContentTypeParsers()
  // JSON under a wrong or no type is JSON all the same (`curl -d` sends x-www-form-urlencoded); no body is no body.
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (request, body, done) => {
    if (body.length === 0) return done(null, undefined)
    let text: string
    try {
      text = utf8.decode(body as Buffer)
    } catch {
      return done(unreadable(request))
    }
    parseJson(request, text, (error: Error | null, value?: unknown) => {
      if (error) return done(unreadable(request))
      const loss = lossOf(value)
      return loss ? done(lossy(loss)) : done(null, value)
    })
  })
  // Spot would not get it. An empty object asks for nothing: SDKs send one.
  app.addHook('preHandler', (request, _, done) => {
    const { body, routeOptions: { config: { hasBody, query } } } = request
    if (hasBody === false && body !== undefined) {
      if (!isObject(body) || Object.keys(body).length > 0) return done(unwanted(query))
      request.body = undefined
    }
    done()
  })
}, { name: 'body', dependencies: ['@fastify/sensible'] })

const lossy = (message: string) =>
  new Problem('invalid-request', { detail: `The body ${message}.`, errors: [{ pointer: '#', code: 'lossy', message }] })

function unwanted (query: OperationRow['query'] = []): Problem {
  const options = query.filter((name) => name !== 'dryRun')
  const plural = options.length > 1
  const instead = options.length === 0
    ? ''
    : ` What it can be told stands in ${plural ? 'query parameters' : 'the query parameter'} ${options.join(', ')}.`
  return new Problem('invalid-request', {
    detail: 'This operation has no body, and nothing of the one that was sent would reach Spot.',
    hint: `Leave the body out.${instead}`,
    errors: [{ pointer: '#', code: 'body', message: 'must not be sent' }]
  })
}

function unreadable (request: FastifyRequest): Problem {
  return request.headers['content-type'] === undefined || request.is('json', '+json', 'text/json')
    ? new Problem('malformed-json', {
      detail: 'The body is not valid JSON in UTF-8, or has a key named __proto__.',
      hint: "Check it with 'jq . FILE'. With curl, send a file by --data-binary @FILE."
    })
    : new Problem('unsupported-media-type', {
      detail: 'The body is not JSON, and its Content-Type does not say so either.',
      hint: 'Send JSON with Content-Type: application/json.'
    })
}
