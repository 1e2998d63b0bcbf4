import type { Redis, Result } from 'ioredis'
import type { OnConnection } from './guard.js'
import type { State, StateRecord, Version } from './state.js'
import { newVersion } from './version.js'

declare module 'ioredis' {
  interface RedisCommander<Context> {
    swapRecord (
      key: string, expected: Version | '', version: Version, value: string, ttl: number
    ): Result<0 | 1, Context>
    removeRecord (key: string, expected: Version): Result<0 | 1, Context>
    /** The text of a record, and Redis's time: seconds, microseconds. */
    readRecord (key: string): Result<[text: string | null, time: Time], Context>
  }
}

/**
 * Prefix of every key, since others may use the same Redis. The number is the format of the records: a server reads
 * only its own, so old and new ones never misread each other during an upgrade. Format 1 was `spot-api:state:`, and its
 * servers list all keys that begin with it, so no later prefix may.
 */
const PREFIX = 'spot-api:state-2:'

/** Answer to TIME. */
type Time = [seconds: string, microseconds: string]

/** Milliseconds that Redis may take to answer; then the connection is closed and opened again. */
const ANSWER_TIMEOUT = 2000

/**
 * Lua: whether the record has this version. A record is `version written value`; `written` is in milliseconds since the
 * epoch, by Redis's clock. Where there is no record, its version is the empty string.
 */
const VERSION_MATCHES = "(redis.call('GET', KEYS[1]) or ''):match('^%d*') == ARGV[1]"

const scripts = {
  swapRecord: {
    numberOfKeys: 1,
    lua: `
      if not (${VERSION_MATCHES}) then return 0 end
      local time = redis.call('TIME')
      local written = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
      redis.call('SET', KEYS[1], ARGV[2] .. ' ' .. written .. ' ' .. ARGV[3], 'PX', ARGV[4])
      return 1`
  },
  removeRecord: {
    numberOfKeys: 1,
    lua: `return ${VERSION_MATCHES} and redis.call('DEL', KEYS[1]) or 0`
  },
  readRecord: {
    numberOfKeys: 1,
    readOnly: true,
    lua: "return { redis.call('GET', KEYS[1]), redis.call('TIME') }"
  }
}

/**
 * Records in a Redis, which several machines may share; its own settings decide how durable they are. The first call
 * connects; then the connection is kept, and opened again when it breaks. Meanwhile calls fail at once.
 *
 * @param onConnection called with the reason when the connection breaks, and with undefined when there is one
 */
export function redis (url: string, onConnection: OnConnection): State {
  const { ask, close } = connection(url, onConnection)

  return {
    async get (key) {
      const [text, time] = await ask((client) => client.readRecord(PREFIX + key))
      return text === null ? undefined : recordOf(text, time)
    },
    async swap (key, expected, value, ttl) {
      const version = newVersion()
      const done = await ask((client) => client.swapRecord(PREFIX + key, expected ?? '', version, value, ttl))
      return done ? version : undefined
    },
    async remove (key, expected) {
      return await ask((client) => client.removeRecord(PREFIX + key, expected)) === 1
    },
    async * all () {
      let cursor = '0'
      do {
        const [next, keys] = await ask((client) => client.scan(cursor, 'MATCH', `${PREFIX}*`, 'COUNT', 1000))
        const texts = keys.length > 0 ? await ask((client) => client.mget(keys)) : []
        // Read after the records, so that no age is negative.
        const time = await ask((client) => client.time()) as unknown as Time
        for (const [at, text] of texts.entries()) {
          // It may have expired since.
          if (text) yield [(keys[at] as string).slice(PREFIX.length), recordOf(text, time)]
        }
        cursor = next
      } while (cursor !== '0')
    },
    close
  }
}

/** One connection, opened by the first question and then kept: see `redis`. */
function connection (url: string, onConnection: OnConnection) {
  let connecting: Promise<Redis> | undefined
  let closed = false

  /** Why there is no connection, if known. */
  let lastError: Error | undefined

  async function connect (): Promise<Redis> {
    const { redisClient } = await import('./redis-client.js')
    const client = redisClient(url, ANSWER_TIMEOUT, {
      socketTimeout: ANSWER_TIMEOUT,
      // After a failover the same name leads to the new primary.
      reconnectOnError: ({ message }) => message.startsWith('READONLY'),
      scripts
    })
    client.on('error', (error: Error) => { lastError = error })
    client.on('ready', () => {
      lastError = undefined
      onConnection(undefined)
    })
    client.on('close', () => {
      if (!closed) onConnection(withoutCommand(lastError ?? new Error('the connection was lost')))
    })
    // From here on it reconnects by itself, whether or not this attempt fails.
    await client.connect().catch(() => {})
    return client
  }

  return {
    async ask<T> (question: (client: Redis) => Promise<T>): Promise<T> {
      if (closed) throw new Error('it was closed')
      connecting ??= connect()
      const client = await connecting
      try {
        return await question(client)
      } catch (error) {
        throw withoutCommand(client.status === 'ready' ? error as Error : lastError ?? error as Error)
      }
    },
    async close () {
      closed = true
      const client = await connecting?.catch(() => undefined)
      await client?.quit().catch(() => client.disconnect())
    }
  }
}

function recordOf (text: string, [seconds, microseconds]: Time): StateRecord {
  const [, version = '', written = '', value = ''] = /^(\d+) (\d+) (.*)$/s.exec(text) ?? []
  if (version === '') throw new Error('a record is damaged')
  const now = Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000)
  return { value, version: Number(version), age: Math.max(0, now - Number(written)) }
}

/** Errors of ioredis carry the command with its arguments: the password, or the text of a record. */
function withoutCommand (error: Error & { command?: unknown }): Error {
  delete error.command
  return error
}
