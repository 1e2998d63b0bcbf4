import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { lazyStore, type Store } from '../services/store/index.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** What survives this process. */
    store: Store
  }
}

export default fp(async function store (app: FastifyInstance) {
  app.decorate('store', lazyStore(app.configuration.state))
  app.addHook('onClose', async () => app.store.close())
}, { name: 'store', dependencies: ['config'] })
