import type { Redis } from 'ioredis'
import { redisClient } from '../redis.js'
import { FURTHEST, type Refusal, type Ticket } from './allowance.js'
import type { Polled } from './ledger.js'
import { WINDOW, type Heard } from './quota.js'

/** Not the prefix of the store, which lists all that has it. The braces keep both keys of a route on one node. */
const keysOf = (route: string) => [`spot-api-budget:{${route}}`, `spot-api-budget:{${route}}:leases`] as const

/** Milliseconds that Redis keeps a route that nobody uses. */
const KEPT = 2 * WINDOW

/** Milliseconds after which to look again for what other servers were told. */
const POLL = 50

/**
 * What both scripts begin with: the route as {@link Allowance} has it, by the clock of Redis. What is on its way stands
 * in a sorted set by the time its lease ends, so that a server that dies takes no place with it.
 */
const OPEN = `
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local fields = redis.call('HMGET', KEYS[1],
    'sure', 'likely', 'limit', 'resetAt', 'blockedUntil', 'taken', 'newest', 'probe', 'epoch')
  local sure, likely = tonumber(fields[1]) or 0, tonumber(fields[2]) or 0
  local limit = tonumber(fields[3])
  local resetAt, blockedUntil = tonumber(fields[4]) or 0, tonumber(fields[5]) or 0
  local taken, newest, probe = tonumber(fields[6]) or 0, tonumber(fields[7]) or 0, tonumber(fields[8]) or 0
  local epoch = fields[9] or (time[1] .. '.' .. time[2])

  local function lost (sequence)
    if sequence == probe and limit then resetAt = now + ${WINDOW} end
  end
  for _, sequence in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now)) do lost(tonumber(sequence)) end
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
  local underway = redis.call('ZCARD', KEYS[2])

  local function save (kept)
    redis.call('HSET', KEYS[1], 'sure', sure, 'likely', likely, 'resetAt', resetAt, 'blockedUntil', blockedUntil,
      'taken', taken, 'newest', newest, 'probe', probe, 'epoch', epoch)
    if limit then redis.call('HSET', KEYS[1], 'limit', limit) end
    for _, key in ipairs(KEYS) do
      if redis.call('PTTL', key) < kept then redis.call('PEXPIRE', key, kept) end
    end
  end`

/** ARGV: milliseconds of the lease. */
const RESERVE = `${OPEN}
  local reset = now >= math.max(resetAt, blockedUntil)
  if underway == 0 then
    if likely < 1 and reset then
      likely = 1
      probe = taken + 1
    end
    sure = likely
  end
  if sure < 1 or now < blockedUntil then
    local hope = underway > 0 and now >= blockedUntil and (reset or likely >= 1)
    save(${KEPT})
    local free = likely < 1 and math.max(resetAt, blockedUntil) or blockedUntil
    return { 0, math.max(0, free - now), hope and 1 or 0, limit or -1 }
  end
  sure = sure - 1
  likely = likely - 1
  local ended = taken - underway
  taken = taken + 1
  redis.call('ZADD', KEYS[2], now + ARGV[1], taken)
  save(ARGV[1] + ${KEPT})
  return { 1, taken, ended, epoch }`

/**
 * ARGV: epoch, sequence, ended; then what was heard: 'unsent', 'nothing', or 'quota' with limit (or ''), remaining,
 * reset, blocked (or '').
 */
const SETTLE = `${OPEN}
  local sequence, ended, heard = tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
  local known = ARGV[1] == epoch
  local beside = taken - ended - 1
  local told, blocked = tonumber(ARGV[5]), ARGV[8] ~= ''
  if known then
    redis.call('ZREM', KEYS[2], sequence)
  else
    -- Sent without Redis, or before it lost its memory: others may be beside it, and it may lower what is known only.
    sequence, beside = 0, underway
    if not limit and not blocked then heard = 'nothing' end
  end

  if heard == 'unsent' then
    if known and sequence ~= probe then
      sure = sure + 1
      likely = likely + 1
    end
  elseif heard == 'nothing' or (limit and not told and not blocked) then
    if known then lost(sequence) end
  else
    local remaining = tonumber(ARGV[6])
    local at = now + math.min(tonumber(ARGV[7]), ${FURTHEST})
    limit = told or limit
    if blocked then blockedUntil = math.max(blockedUntil, at) end
    resetAt = beside == 0 and at or math.max(resetAt, at)
    local least = remaining - beside
    if sequence > newest then
      newest = sequence
      sure = least
      likely = math.min(math.max(likely, least), remaining)
    else
      sure = math.min(sure, least)
      likely = math.min(likely, remaining)
    end
  end
  save(math.max(${KEPT}, blockedUntil - now))`

/** A place in Redis. The epoch tells whether Redis has forgotten the route since. */
export interface SharedTicket extends Ticket { epoch: string }

/** The ticket of a call that Redis has not heard of. */
const STRAY: SharedTicket = { epoch: '', sequence: 0, ended: 0 }

/** The allowances of all routes in one Redis. Whatever fails is thrown. */
export class RedisAllowances {
  readonly #redis: Redis

  constructor (redis: Redis) {
    this.#redis = redis
  }

  async reserve (route: string, lease: number): Promise<SharedTicket | Refusal & Polled> {
    const answer = await this.#redis.eval(RESERVE, 2, ...keysOf(route), Math.ceil(lease))
    const [granted, first, second, last] = answer as [number, number, number, number | string]
    return granted === 1
      ? { sequence: first, ended: second, epoch: String(last) }
      : { wait: first, hope: second === 1, limit: last === -1 ? undefined : Number(last), poll: POLL }
  }

  async settle (route: string, { epoch, sequence, ended } = STRAY, heard: Heard): Promise<void> {
    const words = typeof heard === 'object'
      ? ['quota', heard.limit ?? '', heard.remaining, Math.ceil(heard.reset), heard.blocked ? 'blocked' : '']
      : [heard ?? 'nothing', '', '', '', '']
    await this.#redis.eval(SETTLE, 2, ...keysOf(route), epoch, sequence, ended, ...words)
  }

  /** Forgets what is known of a route: calls were sent that Redis has not heard of, so the next one asks Spot. */
  async forget (route: string): Promise<void> {
    await this.#redis.del(...keysOf(route))
  }

  close (): void {
    this.#redis.disconnect()
  }
}

/**
 * Connects anew: a connection that hangs may never come back.
 *
 * @param patience milliseconds for each step, and later for each answer
 * @throws when there is no Redis that answers
 */
export async function redisAllowances (url: string, patience: number): Promise<RedisAllowances> {
  const redis = redisClient(url, patience)
  try {
    await redis.connect()
    await redis.ping()
    return new RedisAllowances(redis)
  } catch (error) {
    redis.disconnect()
    throw error
  }
}
