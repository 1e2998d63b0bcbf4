import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { systemClock as clock } from '../services/spot/clock.js'
import { localCounters } from '../services/spot/stages/memory/counters.js'
import { Memory } from '../services/spot/stages/memory/index.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** What Spot said of late. */
    memory: Memory
  }
}

export default fp(async function memory (app: FastifyInstance) {
  const { state, reads, settle } = app.configuration
  const counters = 'redis' in state ? await redisCounters(state.redis) : localCounters(clock.now)
  const memory = new Memory({ ...reads, settle, counters, clock })
  app.decorate('memory', memory)
  app.reload.onChange(() => memory.clear())

  /** Loaded only where there is a Redis: it would be a good part of the start. */
  async function redisCounters (url: string) {
    const { redisWords } = await import('../services/spot/stages/memory/redis-words.js')
    const { sharedCounters } = await import('../services/spot/stages/memory/shared-counters.js')
    const counters = sharedCounters({
      words: redisWords(url),
      clock,
      onChange (usable) {
        if (usable) app.log.info('Redis is back: answers are remembered again')
        else app.log.warn('Redis cannot be used: nothing is remembered, each read asks Spot')
      }
    })
    app.addHook('onListen', () => counters.open())
    app.addHook('onClose', async () => counters.close())
    return counters
  }
}, { name: 'memory', dependencies: ['config', 'reload'] })
