import { randomBytes } from 'node:crypto'
import { redisClient } from '../../../state/redis-client.js'
import { PATIENCE, type SharedWords } from './shared-counters.js'

/** The number is the version of what is shared: servers of another version never read these keys. */
const PREFIX = 'spot-api:2:counter:'

/** Milliseconds that Redis keeps a word. One that expired is drawn anew, which makes memory unusable once. */
const KEPT = 3600_000

/** KEYS: names. ARGV: a new word, then the milliseconds it is kept. */
const READ = `
  local words = redis.call('MGET', unpack(KEYS))
  for index, name in ipairs(KEYS) do
    if not words[index] then
      words[index] = ARGV[1] .. index
      redis.call('SET', name, words[index], 'PX', ARGV[2])
    end
  end
  return words`

/** KEYS: names. ARGV: a new word, the milliseconds it is kept, and those of a hold, which is an empty word. */
const CHANGE = `
  for index, name in ipairs(KEYS) do
    local held = redis.call('GET', name) == '' and redis.call('PTTL', name) or 0
    local hold = math.max(held, tonumber(ARGV[3]))
    if hold > 0 then redis.call('SET', name, '', 'PX', hold)
    else redis.call('SET', name, ARGV[1] .. index, 'PX', ARGV[2]) end
  end
  return 1`

/** A random word. */
const newWord = () => randomBytes(9).toString('base64url')

/**
 * Words in a Redis. A Redis that was restarted from a snapshot, or a replica that took over, may bring back an earlier
 * word; a connection breaks then, so words that came over different connections are different.
 */
export function redisWords (url: string): SharedWords {
  const redis = redisClient(url, PATIENCE, { commandTimeout: PATIENCE })
  let connection = 0
  redis.on('close', () => { connection++ })
  const keys = (names: readonly string[]) => names.map((name) => PREFIX + name)
  return {
    async read (names) {
      const words = await redis.eval(READ, names.length, ...keys(names), newWord(), KEPT) as string[]
      return words.map((word) => word && `${connection} ${word}`)
    },
    async change (names, holdFor) {
      await redis.eval(CHANGE, names.length, ...keys(names), newWord(), KEPT, Math.ceil(holdFor))
    },
    open: () => redis.connect(),
    close: () => redis.disconnect()
  }
}
