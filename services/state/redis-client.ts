import { Redis, type RedisOptions } from 'ioredis'

/**
 * A client of Redis that connects when `connect()` is called, and then again whenever the connection breaks. Meanwhile
 * every command fails at once. It never throws outside of a command; errors carry the command with its arguments.
 *
 * @param timeout milliseconds for a connection
 */
export function redisClient (url: string, timeout: number, options: RedisOptions): Redis {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: timeout,
    retryStrategy: (attempt) => Math.min(attempt * 100, 2000),
    // What was not sent, or not answered, fails: carried out later, it would be a change that nobody knows of.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    ...options
  })
  redis.on('error', () => {})
  return redis
}
