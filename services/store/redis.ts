import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { StoreError, type Store, type Stored } from './store.js'

/** Keys of this project in a database that others may use as well. */
const PREFIX = 'spot-api:'

/** Milliseconds for an answer of Redis. */
const PATIENCE = 2000

/** A record is a hash of `value` and `version`. ARGV: expected version, new version, value, milliseconds it lives. */
const SWAP = `
  local version = redis.call('HGET', KEYS[1], 'version') or ''
  if version ~= ARGV[1] then return 0 end
  redis.call('HSET', KEYS[1], 'version', ARGV[2], 'value', ARGV[3])
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
  return 1`

const REMOVE = `
  if redis.call('HGET', KEYS[1], 'version') ~= ARGV[1] then return 0 end
  return redis.call('DEL', KEYS[1])`

/**
 * A store that several servers share, as durable as the Redis is:
 * https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/
 */
export function redisStore (url: string): Store {
  const redis = new Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: PATIENCE,
    connectTimeout: PATIENCE,
    retryStrategy: (attempt) => Math.min(attempt * 100, 2000)
  })
  redis.on('error', () => {}) // what fails is thrown by each call; it connects again by itself

  let connecting: Promise<void> | undefined

  async function use<T> (work: () => Promise<T>): Promise<T> {
    try {
      if (redis.status !== 'ready') {
        connecting ??= redis.connect().finally(() => { connecting = undefined })
        await connecting
      }
      return await work()
    } catch (cause) {
      // The error of the client names the commands, and so what was to be stored.
      throw new StoreError(`Redis can not be used (${(cause as NodeJS.ErrnoException).code ?? (cause as Error).name})`)
    }
  }

  async function get (key: string): Promise<Stored | undefined> {
    const { value, version } = await use(() => redis.hgetall(PREFIX + key))
    return value === undefined || version === undefined ? undefined : { value, version }
  }

  return {
    get,
    async swap (key, expected = '', value, ttl) {
      const version = randomUUID()
      const done = await use(() => redis.eval(SWAP, 1, PREFIX + key, expected, version, value, Math.ceil(ttl)))
      return done === 1 ? version : undefined
    },
    remove: async (key, expected) => await use(() => redis.eval(REMOVE, 1, PREFIX + key, expected)) === 1,
    async * all () {
      let cursor = '0'
      do {
        const [next, keys] = await use(() => redis.scan(cursor, 'MATCH', `${PREFIX}*`, 'COUNT', 500))
        cursor = next
        for (const key of keys) {
          const stored = await get(key.slice(PREFIX.length))
          if (stored) yield [key.slice(PREFIX.length), stored]
        }
      } while (cursor !== '0')
    },
    async close () { redis.disconnect() }
  }
}
