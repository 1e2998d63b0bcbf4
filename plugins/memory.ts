import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { systemClock as clock } from '../services/spot/clock.js'
import { Memory } from '../services/spot/stages/memory/index.js'
import { localStamps } from '../services/spot/stages/memory/stamps.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** Spot's latest answers. */
    memory: Memory
  }
}

export default fp(async function memory (app: FastifyInstance) {
  const { state, reads, settle } = app.configuration
  const stamps = 'redis' in state ? await stampsInRedis(state.redis) : localStamps(clock.now)
  const memory = new Memory({ ...reads, settle, stamps, clock })
  app.decorate('memory', memory)
  app.reload.onChange(() => memory.clear())

  /** Loads ioredis only if it is used: that takes a good part of the start-up time. */
  async function stampsInRedis (url: string) {
    const { redisStamps } = await import('../services/spot/stages/memory/redis-stamps.js')
    const { sharedStamps } = await import('../services/spot/stages/memory/shared-stamps.js')
    const stamps = sharedStamps({
      store: redisStamps(url),
      clock,
      onChange (usable) {
        if (usable) app.log.info('Redis is back: answers are remembered again')
        else app.log.warn('Redis cannot be used: nothing is remembered, each read asks Spot')
      }
    })
    app.addHook('onListen', () => stamps.open())
    app.addHook('onClose', async () => stamps.close())
    return stamps
  }
}, { name: 'memory', dependencies: ['config', 'reload'] })
