import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { openStore, type Store } from '../services/store/index.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** What must survive a restart. Opened by the first call. */
    store: Store
  }
}

export default fp(async function store (app: FastifyInstance) {
  const store = openStore(app.configuration.state, (failure) => {
    if (failure) app.log.error(failure.message)
    else app.log.info('The state can be used again.')
  })
  app.addHook('onClose', async () => store.close())
  app.decorate('store', store)
}, { name: 'store', dependencies: ['config'] })
