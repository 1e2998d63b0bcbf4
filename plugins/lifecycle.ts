import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { Problem } from '../services/problems.js'

declare module 'fastify' {
  interface FastifyInstance {
    lifecycle: {
      /** From now on the server takes no new work: load balancers are told, and connections end with their answer. */
      end (): void
      /** @throws {Problem} not-ready once the server is ending */
      assertReady (): void
    }
  }
}

/** Seconds after which another server will have taken over. */
const RETRY_AFTER = 5

export default fp(async function lifecycle (app: FastifyInstance) {
  let ending = false

  app.addHook('onSend', async (_, reply) => {
    if (ending) reply.header('connection', 'close')
  })

  app.decorate('lifecycle', {
    end () { ending = true },
    assertReady () {
      if (!ending) return
      throw new Problem('not-ready', {
        detail: 'This server finishes what is under way, then ends.',
        hint: 'Send the request again: another server takes it.',
        headers: { 'retry-after': String(RETRY_AFTER) }
      })
    }
  })
}, { name: 'lifecycle' })
