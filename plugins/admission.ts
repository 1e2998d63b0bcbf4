import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { Problem } from '../services/problems/index.js'

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * Lets a request pass while fewer than `maxRequests` others that passed are under way.
     * @throws {Problem} overloaded
     */
    admit: (request: FastifyRequest, reply: FastifyReply) => Promise<void>
  }
}

/** Seconds after which most of what is under way has its answer. */
const RETRY_AFTER = 1

/** An admitted request: whether its caller is still there, and whether it is a write that is being carried out. */
interface Admitted { connected: boolean, working: boolean }

/**
 * A request is under way until its caller has the answer, and a write whose caller hung up until it is carried out. It
 * keeps its slot until then, and the server does not end before it is over, logged and audited.
 */
export default fp(async function admission (app: FastifyInstance) {
  const { maxRequests } = app.configuration
  const underWay = new Map<ServerResponse, Admitted>()
  let onIdle = () => {}
  /** Whether the server waits for no further request. */
  let over = false

  function change (response: ServerResponse, what: Partial<Admitted>) {
    const request = underWay.get(response)
    if (!request) return
    Object.assign(request, what)
    if (!request.connected && !request.working) underWay.delete(response)
    if (underWay.size === 0) onIdle()
  }

  // With HTTP pipelining only the first response of a socket gets `close`, so listen on the socket.
  app.server.on('connection', (socket: Socket) => socket.once('close', () => {
    for (const response of underWay.keys()) if (response.req.socket === socket) change(response, { connected: false })
  }))

  app.measurements.watchUnderWay(() => underWay.size)

  app.decorate('admit', async (_, { raw: response }) => {
    if (underWay.size >= maxRequests) {
      throw new Problem('overloaded', {
        detail: `${maxRequests} requests are under way, the most that this server takes at once.`,
        hint: 'Wait as many seconds as Retry-After says. Nothing was done.',
        headers: { 'retry-after': String(RETRY_AFTER) }
      })
    }
    // If its caller hung up while the token was checked, the connection has no more events.
    if (response.req.socket.destroyed) return
    underWay.set(response, { connected: true, working: false })
    response.once('close', () => change(response, { connected: false }))
  })

  // From here a write runs to its end even if the caller hangs up; `onSend` marks that end.
  app.addHook('preValidation', ({ operation }, { raw }, done) => {
    if (operation.kind === 'write') {
      // Its caller hung up while the token was checked, so nobody waited for it.
      if (over) return done(new Problem('not-ready', { detail: 'This server is shutting down. Nothing was sent.' }))
      if (underWay.has(raw)) change(raw, { working: true })
      else underWay.set(raw, { connected: false, working: true }) // its caller had hung up before it was admitted
    }
    done()
  })
  app.addHook('onSend', (_, { raw }, payload, done) => {
    change(raw, { working: false })
    done(null, payload)
  })

  // Runs once the server no longer listens, and before what was registered earlier closes: audit, Spot, state.
  app.addHook('onClose', async () => {
    if (underWay.size > 0) await new Promise<void>((resolve) => { onIdle = resolve })
    over = true
  })
}, { name: 'admission', dependencies: ['config', 'metrics', 'audit', 'spot', 'state', 'idempotency'] })
