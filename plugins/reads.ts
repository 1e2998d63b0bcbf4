import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { Answers, type KeptAnswer } from '../services/reads/answers.js'
import { Memory, type Reading, type Result, type Scope } from '../services/reads/memory.js'
import { masked, maskedInTurns } from '../services/masking/index.js'
import { asJson } from '../services/turns.js'

declare module 'fastify' {
  interface FastifyInstance {
    reads: {
      /** What Spot said of late. */
      memory: Memory
      /** Forgets what a write touched. @returns once all servers that share a Redis have */
      forget (scope: Scope): Promise<void>
      /** Takes down what a request has read. */
      told (request: FastifyRequest, reading: Reading, result: Result): void
      /** Answers a read, and keeps the answer for as long as it is fresh. */
      answer (request: FastifyRequest, reply: FastifyReply, answer: Fresh): Promise<FastifyReply>
      /** Answers a read as a moment ago. @returns whether it could */
      answerAgain (request: FastifyRequest, reply: FastifyReply): boolean
    }
  }
  interface FastifyRequest {
    /** What the request has read of Spot, if anything. */
    readings: { reading: Reading, result: Result }[] | null
    /** How it was answered. */
    cache: Result | null
  }
}

/** What a handler answers a read with. */
interface Fresh { headers: Record<string, string | undefined>, body: unknown }

/** Clients may keep an answer, but ask whether it still holds. */
const CACHE_CONTROL = 'private, no-cache'

/** Whether the caller wants what Spot says now. */
export const wantsFresh = ({ headers }: FastifyRequest) => headers['cache-control'] !== undefined &&
  /no-cache|max-age=0/i.test(headers['cache-control'])

export default fp(async function reads (app: FastifyInstance) {
  const { reads: settings, state } = app.configuration
  const memory = new Memory(settings)
  const replicas = 'redis' in state ? await replicasOf(state.redis) : undefined
  const answers = new Answers((reading) => memory.isFresh(reading))
  const counter = app.measurements.reads

  function send (request: FastifyRequest, reply: FastifyReply, answer: KeptAnswer, result: Result) {
    const { etag, headers, body, at } = answer
    request.cache = result
    const age = Math.floor((performance.now() - at) / 1000)
    reply.header('cache-control', CACHE_CONTROL).header('etag', etag).header('age', age)
      .header('cache-status', STATUS[result]).headers(headers)
    const still = matches(request.headers['if-none-match'], etag)
    return still ? reply.code(304).send() : reply.type('application/json; charset=utf-8').send(body)
  }

  /** Loaded only where there is a Redis: it would be a good part of the start. */
  async function replicasOf (url: string) {
    const { Replicas } = await import('../services/reads/replicas.js')
    const forget = (scope?: Scope) => scope ? memory.forget(scope) : memory.doubtAll()
    const replicas = new Replicas(url, forget, settings.freshFor)
    app.addHook('onListen', () => replicas.open())
    app.addHook('onClose', async () => replicas.close())
    return replicas
  }

  app.decorateRequest('readings', null)
  app.decorateRequest('cache', null)
  app.decorate('reads', {
    memory,

    async forget (scope) {
      memory.forget(scope)
      await replicas?.tell(scope)
    },

    told (request, reading, result) {
      counter.count(result)
      request.readings ??= []
      request.readings.push({ reading, result })
    },

    async answer (request, reply, { headers, body }) {
      const readings = request.readings ?? []
      const sources = readings.map(({ reading }) => reading)
      const seen = sees(request) ? body : Array.isArray(body) ? await maskedInTurns(body) : masked(body)
      const answer = answers.keep(placeOf(request), await asJson(seen), headers, sources)
      return send(request, reply, answer, resultOf(readings))
    },

    answerAgain (request, reply) {
      const answer = answers.get(placeOf(request))
      if (answer === undefined || wantsFresh(request)) return false
      counter.count('hit')
      send(request, reply, answer, 'hit')
      return true
    }
  })
}, { name: 'reads', dependencies: ['config', 'metrics'] })

/** Whether the caller may see secrets. */
const sees = ({ client }: FastifyRequest) => client?.access !== 'read'

/** Where an answer is kept: it differs where secrets are masked. */
const placeOf = (request: FastifyRequest) => sees(request) ? request.raw.url as string : `masked ${request.raw.url}`

/** What stands for an answer that is made of several readings. */
const resultOf = (readings: NonNullable<FastifyRequest['readings']>): Result =>
  (['stale', 'miss', 'collapsed'] as const).find((word) => readings.some(({ result }) => result === word)) ?? 'hit'

/** Cache-Status: https://www.rfc-editor.org/rfc/rfc9211 */
const STATUS: Record<Result, string> = {
  hit: 'spot-api; hit',
  stale: 'spot-api; hit; detail=stale',
  miss: 'spot-api; fwd=miss',
  collapsed: 'spot-api; fwd=miss; collapsed'
}

/** If-None-Match: https://www.rfc-editor.org/rfc/rfc9110#section-13.1.2 */
const matches = (header: string | undefined, etag: string) => header !== undefined &&
  (header.trim() === '*' || header.split(',').some((one) => one.trim().replace(/^W\//, '') === etag))
