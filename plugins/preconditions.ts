import type { FastifyInstance, onRequestHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import type { OperationId } from '../openapi/document.js'
import { Problem } from '../services/problems/index.js'
import { etagOf, namesTag } from '../services/replies/entity-tags.js'
import { bodyText } from '../services/replies/finished.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** Hooks for conditions that a request makes (https://www.rfc-editor.org/rfc/rfc9110#section-13). */
    preconditions: {
      /** Refuses conditions that the operation does not check: none is ignored. @throws {Problem} invalid-request */
      refuse: onRequestHookHandler
      /**
       * Lets a write pass whose If-Match names the present ETag, that of the GET of its path, as Spot has it now.
       *
       * @throws {Problem} precondition-failed, or why it cannot be read
       */
      check: (request: FastifyRequest) => Promise<void>
    }
  }
}

type Reads = Record<OperationId, (request: never) => { body?: unknown } | Promise<{ body?: unknown }>>

export default fp(async function preconditions (app: FastifyInstance, { reads }: { reads: Reads }) {
  app.decorate('preconditions', {
    refuse ({ headers, operation }, _, done) {
      if (headers['if-unmodified-since'] !== undefined) return done(unchecked('If-Unmodified-Since'))
      if (headers['if-match'] !== undefined && !operation.ifMatch) return done(unchecked('If-Match'))
      if (headers['if-none-match'] !== undefined && operation.kind === 'write') return done(unchecked('If-None-Match'))
      done()
    },

    async check ({ headers, operation: { ifMatch }, account, params }) {
      const tags = headers['if-match']
      if (!ifMatch || tags === undefined) return
      const { body } = await reads[ifMatch]({ account: account.fresh, params, query: {} } as never)
      const etag = etagOf(await bodyText(body))
      if (namesTag(tags, etag)) return
      throw new Problem('precondition-failed', {
        detail: `Its ETag is ${etag} now, and If-Match does not name it. Nothing was sent.`, headers: { etag }
      })
    }
  })
}, { name: 'preconditions', dependencies: ['account'] })

const unchecked = (header: string) => new Problem('invalid-request', {
  detail: `${header} is not checked here, so nothing was done.`,
  hint: `Send it without ${header}. A PUT or DELETE of one resource can have an If-Match with the ETag of its GET.`,
  errors: [{ parameter: header, code: 'precondition', message: 'is not checked here' }]
})
