import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { document } from '../openapi/document.js'
import { masked, maskedInTurns } from '../services/masking/index.js'
import { namesTag } from '../services/replies/entity-tags.js'
import { bodyText, FinishedReplies, type FinishedReply } from '../services/replies/finished.js'
import { results } from '../services/replies/results.js'
import { secondsUntilNext } from '../services/replies/retry-after.js'
import type { Answer, Source } from '../services/spot/answer.js'
import { systemClock } from '../services/spot/clock.js'
import { mayHaveBody } from './body.js'

declare module 'fastify' {
  interface FastifyInstance {
    replies: {
      /** Answers a read, and keeps the reply for as long as what it was made of may be given. */
      send (request: FastifyRequest, reply: FastifyReply, made: Made): Promise<FastifyReply>
      /** Answers a read as a moment ago, where that may be done; else calls `done`. A hook. */
      sendAgain (request: FastifyRequest, reply: FastifyReply, done: () => void): void
    }
  }
  interface FastifyRequest {
    /** Where the answer to a read came from. */
    source: Source | null
  }
}

/** What a handler answers a read with. */
interface Made { headers: Record<string, string | undefined>, body: unknown }

/** Clients may keep an answer, but ask whether it still holds. */
const CACHE_CONTROL = 'private, no-cache'

/** Characters of an If-None-Match. Validation, which comes after memory, refuses a longer one. */
const LONGEST_ENTITY_TAG = (document.components.schemas.EntityTag as { maxLength: number }).maxLength

/** Whether the caller wants what Spot says now. */
export const wantsFresh = ({ headers }: FastifyRequest) => headers['cache-control'] !== undefined &&
  /no-cache|max-age=0/i.test(headers['cache-control'])

export default fp(async function replies (app: FastifyInstance) {
  const finished = new FinishedReplies()
  const counter = app.measurements.reads
  // A name may stand for another account from now on.
  app.reload.onChange(() => finished.clear())

  /** Where a reply is kept: by what was asked, in which account, and whether secrets are masked in it. */
  const keyOf = (request: FastifyRequest, identity: string | undefined) =>
    `${sees(request) ? 'whole' : 'masked'} ${identity} ${request.raw.url}`

  function leave (request: FastifyRequest, reply: FastifyReply, from: FinishedReply, source: Source) {
    const { etag, headers, body, askedAt, offset } = from
    request.source = source
    const age = Math.max(0, Math.floor((systemClock.now() - askedAt) / 1000))
    reply.header('cache-control', CACHE_CONTROL).header('etag', etag).header('age', age)
      .header('cache-status', results[source].cacheStatus).headers(headers)
    const interval = headers['Retry-After']
    if (interval !== undefined) reply.header('retry-after', secondsUntilNext(Number(interval), offset, Date.now()))
    const known = request.headers['if-none-match']
    const isKnown = known !== undefined && namesTag(known, etag)
    return isKnown ? reply.code(304).send() : reply.type('application/json; charset=utf-8').send(body)
  }

  app.decorateRequest('source', null)
  app.decorate('replies', {
    async send (request, reply, { headers, body }) {
      // Of the account that was asked: its name may stand for another one by now.
      const { answers, identity } = request.account
      for (const { source } of answers) counter.count(results[source].result)
      const seen = sees(request) ? body : Array.isArray(body) ? await maskedInTurns(body) : masked(body)
      const kept = finished.keep(keyOf(request, identity), await bodyText(seen), headers, answers)
      return leave(request, reply, kept, sourceOf(answers))
    },

    sendAgain (request, reply, done) {
      const { account } = request.params as { account: string }
      const isRefused = (request.headers['if-none-match']?.length ?? 0) > LONGEST_ENTITY_TAG
      const isForMemory = !isRefused && !wantsFresh(request) && !mayHaveBody(request)
      const known = isForMemory ? finished.get(keyOf(request, app.spot.identity(account))) : undefined
      if (known === undefined) return done()
      const decide = (isFresh: boolean) => {
        if (!isFresh) return done()
        counter.count(results.memory.result)
        leave(request, reply, known, 'memory')
      }
      const isFresh = app.memory.isFresh(known)
      if (isFresh instanceof Promise) isFresh.then(decide, () => done())
      else decide(isFresh)
    }
  })
}, { name: 'replies', dependencies: ['config', 'reload', 'metrics', 'spot'] })

/** Whether the caller may see secrets. */
const sees = ({ client }: FastifyRequest) => client?.access !== 'read'

/** What stands for a reply that is made of several answers. */
const sourceOf = (answers: readonly Answer[]): Source =>
  (['stale', 'spot', 'shared'] as const).find((word) => answers.some(({ source }) => source === word)) ?? 'memory'
