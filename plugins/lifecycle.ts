import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { Problem } from '../services/problems/index.js'

declare module 'fastify' {
  interface FastifyInstance {
    lifecycle: {
      /**
       * Ends the server without losing a request. From now on it is not ready, and each connection ends with its next
       * answer. It still takes requests for `drain` seconds; then it stops listening and waits for requests under way.
       *
       * @param drain seconds that load balancers have to notice
       * @returns once the last answer has left and every plugin has closed
       */
      end (drain: number): Promise<void>
      /** @throws {Problem} not-ready once the server is ending */
      assertReady (): void
    }
  }
}

/** Seconds after which another server will have taken over. */
const RETRY_AFTER = 5

/**
 * Milliseconds beyond the longest deadline that requests have, counted from the end of the drain; then they are cut
 * off.
 */
const GRACE = 5000

/** Milliseconds between two looks at the connections. */
const CHECK_EVERY = 100

export default fp(async function lifecycle (app: FastifyInstance) {
  const connections = connectionsOf(app)
  /** Those with bytes that are not yet sent: their callers read slowly. Node takes them for idle. */
  const sending = () => [...connections].filter(({ writableLength }) => writableLength > 0)
  let ending = false

  app.addHook('onSend', (_, reply, payload, done) => {
    if (ending) reply.header('connection', 'close')
    done(null, payload)
  })

  /**
   * When it closes, Node ends idle connections, but neither those that become idle later, nor those that never had a
   * request (browsers and load balancers keep spare ones). The server would wait for each.
   */
  function closeIdle () {
    if (sending().length === 0) app.server.closeIdleConnections()
    for (const socket of connections) if (socket.bytesRead === 0) socket.destroy()
  }

  app.decorate('lifecycle', {
    async end (drain) {
      ending = true
      await sleep(drain * 1000)
      // Cut off the requests that were still running after their deadline.
      const cutOffTimer = setTimeout(() => {
        app.log.warn('what is still under way after its deadline is cut off')
        app.server.closeAllConnections()
      }, app.configuration.deadlines.write + GRACE)
      while (sending().length > 0) await sleep(CHECK_EVERY)
      const checkTimer = setInterval(closeIdle, CHECK_EVERY)
      await app.close()
      clearInterval(checkTimer)
      clearTimeout(cutOffTimer)
    },
    assertReady () {
      if (!ending) return
      throw new Problem('not-ready', {
        detail: 'The server is shutting down. Requests under way are finished.',
        hint: 'Send requests to another server.',
        headers: { 'retry-after': String(RETRY_AFTER) }
      })
    }
  })
}, { name: 'lifecycle', dependencies: ['config'] })

/** The open connections of a server. */
function connectionsOf ({ server }: FastifyInstance): ReadonlySet<Socket> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  return sockets
}
