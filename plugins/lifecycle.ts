import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
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

/** Milliseconds between two checks for idle connections. */
const CHECK_EVERY = 100

export default fp(async function lifecycle (app: FastifyInstance) {
  const unused = unusedConnections(app)
  const answers = openAnswers(app)
  /** Answers that are complete, but not yet sent: their callers read slowly. Node takes their connections for idle. */
  const leaving = () => [...answers].filter(({ writableEnded }) => writableEnded)
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
    if (leaving().length === 0) app.server.closeIdleConnections()
    for (const socket of unused) if (socket.bytesRead === 0) socket.destroy()
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
      await Promise.all(leaving().map((answer) => once(answer, 'close')))
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

/** The open connections that never had a request. */
function unusedConnections ({ server }: FastifyInstance): Iterable<Socket> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.on('request', ({ socket }) => sockets.delete(socket))
  return sockets
}

/** The answers that were not sent whole. */
function openAnswers ({ server }: FastifyInstance): ReadonlySet<ServerResponse> {
  const answers = new Set<ServerResponse>()
  server.on('request', (_, answer: ServerResponse) => {
    answers.add(answer)
    answer.once('close', () => answers.delete(answer))
  })
  return answers
}
