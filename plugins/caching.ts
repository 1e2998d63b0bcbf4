import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { DOCS_PATH } from '../openapi/paths.js'
import { etagOf, namesTag, withoutCodings } from '../services/replies/entity-tags.js'

/** Anybody may keep it, but asks whether it still holds: it is the same until the next release. */
const CACHE_CONTROL = 'public, no-cache'

/** Answers that are public, and the same until the next release, have an ETag: the document and the docs page. */
export default fp(async function caching (app: FastifyInstance) {
  // @fastify/static compares the tags of its files by itself, and knows nothing of codings.
  app.addHook('onRequest', ({ operation, headers }, _, done) => {
    const tags = headers['if-none-match']
    if (tags !== undefined && isOfDocs(operation)) headers['if-none-match'] = withoutCodings(tags)
    done()
  })

  app.addHook('onSend', ({ operation, headers }, reply, payload, done) => {
    const { kind, ifNoneMatch } = operation
    const isConstant = isOfDocs(operation) || (kind === 'public' && ifNoneMatch)
    if (!isConstant || (reply.statusCode !== 200 && reply.statusCode !== 304)) return done(null, payload)
    reply.header('cache-control', CACHE_CONTROL)
    if (typeof payload !== 'string' && !Buffer.isBuffer(payload)) return done(null, payload)
    const etag = etagOf(payload)
    reply.header('etag', etag)
    const tags = headers['if-none-match']
    if (tags === undefined || !namesTag(tags, etag)) return done(null, payload)
    reply.code(304).removeHeader('content-length').removeHeader('content-type')
    done(null, null)
  })
}, { name: 'caching', dependencies: ['requests'] })

const isOfDocs = ({ url }: FastifyRequest['operation']) => url?.startsWith(DOCS_PATH)
