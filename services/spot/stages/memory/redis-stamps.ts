import { randomBytes } from 'node:crypto'
import { redisClient } from '../../../state/redis-client.js'
import { STAMPS_TIMEOUT, type StampStore } from './shared-stamps.js'

/** The number is the version of what is shared: servers of another version never read these keys. */
const PREFIX = 'spot-api:2:counter:'

/** Milliseconds that Redis keeps a stamp. One that expired is made again, so memory is not used once. */
const STAMP_TTL = 3600_000

/** KEYS: names. ARGV: a new stamp, then the milliseconds it is kept. */
const READ = `
  local stamps = redis.call('MGET', unpack(KEYS))
  for index, name in ipairs(KEYS) do
    if not stamps[index] then
      stamps[index] = ARGV[1] .. index
      redis.call('SET', name, stamps[index], 'PX', ARGV[2])
    end
  end
  return stamps`

/** KEYS: names. ARGV: a new stamp, the milliseconds it is kept, and those of an exclusion, which is an empty stamp. */
const RENEW = `
  for index, name in ipairs(KEYS) do
    local excluded = redis.call('GET', name) == '' and redis.call('PTTL', name) or 0
    local exclude = math.max(excluded, tonumber(ARGV[3]))
    if exclude > 0 then redis.call('SET', name, '', 'PX', exclude)
    else redis.call('SET', name, ARGV[1] .. index, 'PX', ARGV[2]) end
  end
  return 1`

const newStamp = () => randomBytes(9).toString('base64url')

/**
 * Stamps in a Redis. A Redis that was restarted from a snapshot, or a replica that took over, may bring back an earlier
 * stamp. A connection breaks then, so stamps that came over different connections are different.
 */
export function redisStamps (url: string): StampStore {
  const redis = redisClient(url, STAMPS_TIMEOUT, { commandTimeout: STAMPS_TIMEOUT })
  let connection = 0
  redis.on('close', () => { connection++ })
  const keys = (names: readonly string[]) => names.map((name) => PREFIX + name)
  return {
    async read (names) {
      const stamps = await redis.eval(READ, names.length, ...keys(names), newStamp(), STAMP_TTL) as string[]
      return stamps.map((stamp) => stamp && `${connection} ${stamp}`)
    },
    async renew (names, excludeFor) {
      await redis.eval(RENEW, names.length, ...keys(names), newStamp(), STAMP_TTL, Math.ceil(excludeFor))
    },
    open: () => redis.connect(),
    close: () => redis.disconnect()
  }
}
