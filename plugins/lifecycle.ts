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
       * answer. For a while it takes whatever comes all the same; then it stops listening, and ends what is under way.
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

/** Milliseconds that requests under way have after their deadline, once nothing is listened for. */
const GRACE = 5000

/** Milliseconds between two looks for connections whose last answer has left. */
const LOOK = 100

export default fp(async function lifecycle (app: FastifyInstance) {
  const unasked = unaskedConnections(app)
  const answers = openAnswers(app)
  /** Those that are made, but have not left whole: their callers read slowly. Node takes their connections for idle. */
  const leaving = () => [...answers].filter(({ writableEnded }) => writableEnded)
  let ending = false

  app.addHook('onSend', (_, reply, payload, done) => {
    if (ending) reply.header('connection', 'close')
    done(null, payload)
  })

  /**
   * Closing, Node ends connections that wait for a next request, but not those that come to wait a moment later, nor
   * those that never had a request (browsers and load balancers keep spare ones). Each would hold up the end.
   */
  function closeIdle () {
    if (leaving().length === 0) app.server.closeIdleConnections()
    for (const socket of unasked) if (socket.bytesRead === 0) socket.destroy()
  }

  app.decorate('lifecycle', {
    async end (drain) {
      ending = true
      await sleep(drain * 1000)
      const cutting = setTimeout(() => {
        app.log.warn('what is still under way after its deadline is cut off')
        app.server.closeAllConnections()
      }, app.configuration.deadlines.write + GRACE)
      await Promise.all(leaving().map((answer) => once(answer, 'close')))
      const looking = setInterval(closeIdle, LOOK)
      await app.close()
      clearInterval(looking)
      clearTimeout(cutting)
    },
    assertReady () {
      if (!ending) return
      throw new Problem('not-ready', {
        detail: 'This server finishes what is under way, then ends.',
        hint: 'Send the request again: another server takes it.',
        headers: { 'retry-after': String(RETRY_AFTER) }
      })
    }
  })
}, { name: 'lifecycle', dependencies: ['config'] })

/** The open connections that never had a request. */
function unaskedConnections ({ server }: FastifyInstance): Iterable<Socket> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.on('request', ({ socket }) => sockets.delete(socket))
  return sockets
}

/** The answers that have not left whole. */
function openAnswers ({ server }: FastifyInstance): ReadonlySet<ServerResponse> {
  const answers = new Set<ServerResponse>()
  server.on('request', (_, answer: ServerResponse) => {
    answers.add(answer)
    answer.once('close', () => answers.delete(answer))
  })
  return answers
}
