import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { earlierState, openState, type WatchedState } from '../services/state/index.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** What must survive a restart, and why it cannot be used, if so. It is opened when it is first used. */
    state: WatchedState
  }
}

/** Milliseconds between two looks whether the state can be used, whether or not anybody needs it. */
export const PROBE = 15_000

/** Milliseconds until a server uses the state by itself: to open it takes time that its first requests need. */
export const FIRST_USE = 1000

export default fp(async function state (app: FastifyInstance) {
  const { state: settings, sandbox } = app.configuration
  const { stateUp } = app.measurements
  const state = openState(settings, (failure) => {
    stateUp.set(failure ? 0 : 1)
    if (failure) app.log.error(failure.message)
    else app.log.info('The state can be used again.')
  })

  let timer: NodeJS.Timeout | undefined
  let closing = false
  function probeIn (milliseconds: number) {
    timer = setTimeout(async () => {
      await state.probe()
      if (!closing) probeIn(PROBE)
    }, milliseconds).unref()
  }
  app.addHook('onListen', () => {
    // The sandbox begins with nothing, and may run where nothing can be written.
    if (sandbox) return
    const earlier = earlierState(settings)
    if (earlier) app.log.warn(`${earlier} is the state of an earlier version. It is not read: delete it.`)
    probeIn(FIRST_USE)
  })
  app.addHook('onClose', async () => {
    closing = true
    clearTimeout(timer)
    await state.close()
  })
  app.decorate('state', state)
}, { name: 'state', dependencies: ['config', 'metrics'] })
