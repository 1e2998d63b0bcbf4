import type { Store } from './store.js'

export { StoreError, type Store, type Stored, type Version } from './store.js'

/** Where the store is: a directory, or the URL of a Redis (which may have a password in it). */
export type StoreSettings = { directory: string } | { redis: string }

/** Opens the store when it is first used: loading either takes longer than most of a start. */
export function lazyStore (settings: StoreSettings): Store {
  let store: Promise<Store> | undefined
  const open = () => {
    store ??= 'redis' in settings
      ? import('./redis.js').then(({ redisStore }) => redisStore(settings.redis))
      : import('./embedded.js').then(({ embeddedStore }) => embeddedStore(settings.directory))
    return store
  }
  return {
    get: async (...args) => (await open()).get(...args),
    swap: async (...args) => (await open()).swap(...args),
    remove: async (...args) => (await open()).remove(...args),
    async * all () { yield * (await open()).all() },
    async close () { await (await store)?.close() }
  }
}
