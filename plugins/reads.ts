import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { Answers, type KeptAnswer } from '../services/reads/answers.js'
import { Memory, RESULTS, type Reading, type Result } from '../services/reads/memory.js'

declare module 'fastify' {
  interface FastifyInstance {
    reads: {
      /** What Spot said of late. */
      memory: Memory
      /** Answers a read that was answered a moment ago, before anything else is done for it. */
      answerAgain: (request: FastifyRequest, reply: FastifyReply) => FastifyReply | undefined
      /** Answers a read, and keeps the answer for a moment. */
      answer: (request: FastifyRequest, reply: FastifyReply, body: string) => FastifyReply
      /** Takes down what a request has read. */
      told: (request: FastifyRequest, reading: Reading, result: Result) => void
    }
  }
  interface FastifyRequest {
    /** What the request has read of Spot. */
    readings: { reading: Reading, result: Result }[] | null
  }
}

/** Clients may keep an answer, but ask whether it still holds. */
const CACHE_CONTROL = 'private, no-cache'

/** Whether the caller wants what Spot says now. */
export const wantsFresh = ({ headers }: FastifyRequest) => /no-cache|max-age=0/.test(headers['cache-control'] ?? '')

export default fp(async function reads (app: FastifyInstance) {
  const memory = new Memory(app.configuration.reads)
  const answers = new Answers((reading) => memory.isFresh(reading))
  const { reads } = app.measurements
  for (const result of RESULTS) reads.inc({ result }, 0)
  const hit = { result: 'hit' } as const

  function send (request: FastifyRequest, reply: FastifyReply, answer: KeptAnswer, age: number, status: string) {
    reply.headers({ 'cache-control': CACHE_CONTROL, etag: answer.etag, age: String(age), 'cache-status': status })
    if (matches(request.headers['if-none-match'], answer.etag)) return reply.code(304).send()
    return reply.headers(answer.headers).type('application/json').send(answer.bytes)
  }

  app.decorateRequest('readings', null)
  app.decorate('reads', {
    memory,

    told (request, reading, result) {
      reads.inc({ result })
      request.readings ??= []
      request.readings.push({ reading, result })
    },

    answerAgain (request, reply) {
      const answer = answers.get(request.raw.url as string)
      if (answer === undefined || wantsFresh(request)) return undefined
      reads.inc(hit)
      return send(request, reply, answer, 0, 'spot-api; hit')
    },

    answer (request, reply, body) {
      const readings = request.readings ?? []
      const oldest = Math.min(...readings.map(({ reading }) => reading.at))
      const kept = answers.keep(request.raw.url as string, body, reply.getHeaders(), readings.map(({ reading }) => reading))
      return send(request, reply, kept, Math.floor((performance.now() - oldest) / 1000), statusOf(readings))
    }
  })
}, { name: 'reads', dependencies: ['config', 'metrics'] })

/** Cache-Status: https://www.rfc-editor.org/rfc/rfc9211 */
function statusOf (readings: NonNullable<FastifyRequest['readings']>): string {
  const has = (wanted: Result) => readings.some(({ result }) => result === wanted)
  if (has('stale')) return 'spot-api; hit; detail=stale'
  if (has('miss')) return 'spot-api; fwd=miss'
  return has('collapsed') ? 'spot-api; fwd=miss; collapsed' : 'spot-api; hit'
}

/** If-None-Match: https://www.rfc-editor.org/rfc/rfc9110#section-13.1.2 */
const matches = (header: string | undefined, etag: string) => header !== undefined &&
  (header === '*' || header.split(',').some((one) => one.trim().replace(/^W\//, '') === etag))
