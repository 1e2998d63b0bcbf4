import { Redis } from 'ioredis'

/**
 * A client of Redis that never makes anybody wait for longer than this, and never throws outside of a command: what
 * fails is thrown by each command, whose errors name what was to be stored and must not be shown.
 *
 * @param patience milliseconds for a connection, and for each answer
 */
export function redisClient (url: string, patience: number): Redis {
  const redis = new Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: patience,
    connectTimeout: patience,
    retryStrategy: (attempt) => Math.min(attempt * 100, 2000)
  })
  redis.on('error', () => {})
  return redis
}
