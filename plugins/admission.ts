import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { Problem } from '../services/problems.js'

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * Lets a request pass while fewer than `maxRequests` others that passed wait for their answer.
     * @throws {Problem} overloaded
     */
    admit: (request: FastifyRequest, reply: FastifyReply) => Promise<void>
  }
}

/** Seconds after which most of what is under way has its answer. */
const RETRY_AFTER = 1

export default fp(async function admission (app: FastifyInstance) {
  const { maxRequests } = app.configuration
  const admitted = new Set<ServerResponse>()

  // Of several requests that came at once over a connection, only the first is told when the connection ends.
  app.server.on('connection', (socket: Socket) => socket.once('close', () => {
    for (const response of admitted) if (response.req.socket === socket) admitted.delete(response)
  }))

  app.measurements.underWay(() => admitted.size)

  app.decorate('admit', async (_, { raw: response }) => {
    if (admitted.size >= maxRequests) {
      throw new Problem('overloaded', {
        detail: `${maxRequests} requests are under way, which is as many as this server takes at once.`,
        hint: 'Wait as many seconds as Retry-After says. Nothing was done.',
        headers: { 'retry-after': String(RETRY_AFTER) }
      })
    }
    admitted.add(response)
    response.once('close', () => admitted.delete(response))
  })
}, { name: 'admission', dependencies: ['config', 'metrics'] })
