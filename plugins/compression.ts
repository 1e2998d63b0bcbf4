import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { negotiate } from '@fastify/accept-negotiator'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { LRUCache } from 'lru-cache'
import { CODINGS, CompressedReplies, type Coding } from '../services/replies/compressed.js'
import { codingKnown, withCoding } from '../services/replies/entity-tags.js'

/** Bytes from which on compressing pays. */
const SMALLEST = 1024

const compressible = /json|text|javascript|xml|yaml/

/**
 * Compresses replies for callers who accept that. What has an ETag is compressed once, and its compressed form has a
 * tag of its own.
 */
export default fp(async function compression (app: FastifyInstance) {
  const preferred = new LRUCache<string, Coding | 'identity'>({ max: 100, memoMethod: preferredCoding })
  const compressed = new CompressedReplies()

  app.addHook('onSend', (request, reply, payload, done) => {
    if (reply.statusCode === 304) {
      addVary(reply)
      nameAsKnown(request, reply)
      // Fastify gives the answer to a HEAD the length of its text; a stream has none, as the 304 to a GET has none.
      return done(null, request.method === 'HEAD' ? Readable.from([]) : payload)
    }
    if (!isWorthIt(reply, payload)) return done(null, payload)
    addVary(reply)
    const accepted = request.headers['accept-encoding']
    const coding = accepted === undefined ? 'identity' : preferred.memo(String(accepted).toLowerCase())
    if (coding === 'identity') return done(null, payload)

    // Of a problem, the tag is that of the resource which it is about.
    const etag = reply.statusCode < 300 ? reply.getHeader('etag') : undefined
    const key = typeof etag === 'string' ? `${etag} ${request.raw.url}` : undefined
    const send = (body: Buffer | Readable) => {
      if (key !== undefined) reply.header('etag', withCoding(etag as string, coding))
      reply.header('content-encoding', coding).removeHeader('content-length').removeHeader('accept-ranges')
      done(null, body)
    }
    const known = key === undefined ? undefined : compressed.get(coding, key)
    if (known) {
      if (payload instanceof Readable) payload.destroy()
      return send(known)
    }
    // To a HEAD a file comes as an empty stream: nobody knows the length of what it would be compressed.
    if (request.method === 'HEAD' && payload instanceof Readable) return send(payload)
    const body = () => payload instanceof Readable ? buffer(payload) : payload as string | Buffer
    compressed.make(coding, key, body).then(send, done)
  })
}, { name: 'compression', dependencies: ['@fastify/sensible'] })

/** The coding that a caller prefers, by its Accept-Encoding. */
function preferredCoding (accepted: string): Coding | 'identity' {
  // For the negotiator, a * would stand for what was refused before it, too.
  const isRefused = (coding: string) => new RegExp(`\\b${coding}\\s*;\\s*q=0(?:\\.0*)?\\s*(?:,|$)`).test(accepted)
  return negotiate(accepted, [...CODINGS, 'identity' as const].filter((coding) => !isRefused(coding))) ?? 'identity'
}

/** Most replies have no Vary yet, and then there is nothing to parse. */
function addVary (reply: FastifyReply) {
  if (reply.hasHeader('vary')) reply.vary('Accept-Encoding')
  else reply.header('vary', 'Accept-Encoding')
}

/** Whether a reply is large enough, and such that it becomes smaller. A file comes as a stream, whole or in part. */
function isWorthIt (reply: FastifyReply, payload: unknown): boolean {
  if (typeof payload === 'string') return payload.length >= SMALLEST
  if (payload instanceof Readable) {
    const isLarge = Number(reply.getHeader('content-length')) >= SMALLEST
    if (reply.statusCode !== 200 || !isLarge) return false
  } else if (!Buffer.isBuffer(payload) || payload.length < SMALLEST) return false
  return compressible.test(String(reply.getHeader('content-type'))) && !reply.hasHeader('content-encoding')
}

/** A 304 has the tag that the caller has: the one of the coding in which it got the answer. */
function nameAsKnown ({ headers }: FastifyRequest, reply: FastifyReply) {
  const etag = reply.getHeader('etag')
  const coding = typeof etag === 'string' ? codingKnown(headers['if-none-match'] ?? '', etag) : undefined
  if (coding) reply.header('etag', withCoding(etag as string, coding))
}
