import { randomBytes } from 'node:crypto'
import type { Redis, Result } from 'ioredis'
import { HANGING_AFTER } from '../../call.js'
import { WINDOW } from '../../wire/quota.js'
import type { SharedWindow } from './shared.js'
import {
  CALLS_WITHOUT_LIMIT, CLOCK_SLACK, DAY, LONGEST_BACKOFF, RESERVE, SEND_COUNTS_FOR,
  type Ask, type Feedback, type Refusal, type Send
} from './window.js'

type Argument = string | number

declare module 'ioredis' {
  interface RedisCommander<Context> {
    enterLimit (...args: Argument[]): Result<number[], Context>
    leaveLimit (...args: Argument[]): Result<number, Context>
  }
}

/** The number is the version of what is shared: another one never reads these keys. */
const PREFIX = 'spot-api:2:limit:'

/** Milliseconds. `Shared` stops waiting after 200 ms and sends without Redis; this only ends the command. */
const COMMAND_TIMEOUT = 1000

/** Milliseconds after which a server that has not ended a call is dead. */
const LONGEST_LEASE = 600_000

/**
 * What both scripts begin with: a route as `RouteWindow` has it. KEYS:
 * - hash: the numbers. `limit`: 0 unknown, -1 unlimited.
 * - all: all sends, sorted by when they leave the window.
 * - client: the same of one client.
 * - begun: sends of the last minute, sorted by when they began.
 * - young: sends under way that began while no limit was known.
 *
 * ARGV: now, or '' for the clock of Redis; id of the send.
 */
const OPEN = `
  local HASH, ALL, CLIENT, BEGUN, YOUNG = unpack(KEYS)
  local now, id = tonumber(ARGV[1]), ARGV[2]
  if not now then
    local time = redis.call('TIME')
    now = time[1] * 1000 + math.floor(time[2] / 1000)
  end
  local names = { 'limit', 'confirmedAt', 'newest', 'others', 'othersUntil', 'provenUntil', 'blockedUntil', 'trips',
    'probeAt', 'sent', 'ended', 'past' }
  local route = {}
  for index, value in ipairs(redis.call('HMGET', HASH, unpack(names))) do
    route[names[index]] = tonumber(value) or 0
  end
  if now - route.confirmedAt >= ${DAY} then route.limit = 0 end
  redis.call('ZREMRANGEBYSCORE', ALL, '-inf', now)
  redis.call('ZREMRANGEBYSCORE', CLIENT, '-inf', now)
  redis.call('ZREMRANGEBYSCORE', YOUNG, '-inf', now - ${HANGING_AFTER})
  route.past = route.past + redis.call('ZREMRANGEBYSCORE', BEGUN, '-inf', now - ${WINDOW})
  local others = now < route.othersUntil and route.others or 0

  local function count (leavesAt)
    redis.call('ZADD', ALL, leavesAt, id)
    redis.call('ZADD', CLIENT, leavesAt, id)
  end
  local function save (lease)
    local fields = {}
    for _, name in ipairs(names) do
      fields[#fields + 1] = name
      fields[#fields + 1] = route[name]
    end
    redis.call('HSET', HASH, unpack(fields))
    -- The hash outlives the sends, so that a limit stays known for a day.
    for index, key in ipairs(KEYS) do
      local kept = (key == HASH or key == BEGUN) and ${DAY} or lease + ${SEND_COUNTS_FOR}
      if redis.call('PTTL', key) < kept then redis.call('PEXPIRE', key, kept) end
    end
  end`

/** ARGV from 3: share, reserved (1 or 0), ahead, ahead of its client, lease. */
const ENTER = `${OPEN}
  local share, reserved, ahead, aheadOwn, lease =
    tonumber(ARGV[3]), ARGV[4] == '1', tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
  local limit, probe = route.limit, route.trips > 0

  local function left (set, count)
    if count <= 0 then return -math.huge end
    return tonumber(redis.call('ZRANGE', set, count - 1, count - 1, 'WITHSCORES')[2]) or math.huge
  end
  local function refusal (wait, held)
    save(0)
    return { 0, math.ceil(math.max(0, wait)), held and 1 or 0, limit }
  end

  if now < route.blockedUntil then return refusal(route.blockedUntil - now) end
  local probeEnds = route.probeAt + ${HANGING_AFTER}
  if probe and (ahead > 0 or now < probeEnds) then return refusal(probeEnds - now) end
  if limit == 0 and redis.call('ZCARD', YOUNG) + ahead >= ${CALLS_WITHOUT_LIMIT} then
    local oldest = tonumber(redis.call('ZRANGE', YOUNG, 0, 0, 'WITHSCORES')[2]) or -${HANGING_AFTER}
    return refusal(oldest + ${HANGING_AFTER} - now)
  end
  if limit > 0 then
    local reserve = math.floor(limit * ${RESERVE})
    if probe then others = 0 end
    local lacks = redis.call('ZCARD', ALL) + others + ahead + 1 - (reserved and limit or limit - reserve)
    local lacksOwn = redis.call('ZCARD', CLIENT) + aheadOwn + 1 -
      math.ceil(math.max(1, share * limit)) - (reserved and reserve or 0)
    if lacks > 0 or lacksOwn > 0 then
      local room = math.min(left(ALL, lacks), math.max(left(ALL, lacks - others), route.othersUntil))
      local free = math.max(lacks > 0 and room or now, lacksOwn > 0 and left(CLIENT, lacksOwn) or now)
      return refusal(math.min(free - now, ${SEND_COUNTS_FOR}), lacksOwn > 0 and share < 1)
    end
  end

  if probe then route.probeAt = now end
  count(now + lease + ${SEND_COUNTS_FOR})
  redis.call('ZADD', BEGUN, now, id)
  if limit == 0 then redis.call('ZADD', YOUNG, now, id) end
  route.sent = route.sent + 1
  save(lease)
  return { 1, now, redis.call('ZCOUNT', ALL, '(' .. now + ${CLOCK_SLACK}, '+inf'), route.sent, route.ended }`

/**
 * ARGV from 3: begunAt, inWindow, number, endedBefore; 'unsent', 'nothing', 'blocked' or 'quota'; limit, remaining,
 * reset.
 */
const LEAVE = `${OPEN}
  local begunAt, inWindow, number, endedBefore =
    tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
  local feedback, limit, remaining, reset = ARGV[7], tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])
  redis.call('ZREM', YOUNG, id)
  redis.call('ZREM', CLIENT, id)
  local known = redis.call('ZREM', ALL, id) == 1
  if feedback == 'unsent' then
    if known then
      if begunAt == route.probeAt then route.probeAt = 0 end
      route.sent = route.sent - 1
      if redis.call('ZREM', BEGUN, id) == 0 then route.past = route.past - 1 end
    end
    save(0)
    return 0
  end
  count(now + ${SEND_COUNTS_FOR})
  route.ended = route.ended + 1
  if not known then
    -- Sent without Redis, or before it lost its memory: it counts, but what others use does not follow from it.
    route.sent = route.sent + 1
    begunAt = 0
    redis.call('ZADD', BEGUN, now, id)
  end
  if feedback == 'nothing' then
    save(0)
    return 0
  end

  local newest = begunAt >= route.newest
  if newest then route.newest = begunAt end
  if limit ~= 0 and (route.limit == 0 or (newest and limit > 0)) then
    route.limit = limit
    route.confirmedAt = now
  end
  if feedback == 'blocked' then
    route.trips = begunAt >= route.blockedUntil and route.trips + 1 or math.max(route.trips, 1)
    local backoff = math.min(${CLOCK_SLACK} * 2 ^ (route.trips - 1), ${LONGEST_BACKOFF})
    route.blockedUntil = math.max(route.blockedUntil, now + reset + backoff)
    route.probeAt = 0
  else
    if begunAt >= route.blockedUntil then route.trips = 0 end
    if known and limit > 0 then
      local counted = limit - remaining
      local least = math.max(0, counted - inWindow - (route.sent - number))
      local most = counted - 1 - math.max(0, endedBefore - route.past)
      if least >= others or now >= route.provenUntil then
        route.others = least
        route.provenUntil = now + ${WINDOW}
      else
        route.others = newest and math.max(least, math.min(others, most)) or others
      end
      route.othersUntil = now + ${WINDOW}
    end
  end
  save(0)
  return 0`

interface RedisSend extends Send { id: string }

/** A route and a client in Redis. The braces keep the keys of a route on one node. */
const keysOf = (route: string, client: string) => {
  const key = `${PREFIX}{${route}}`
  return [key, `${key}:all`, `${key}:client:${client}`, `${key}:begun`, `${key}:young`]
}

/** The windows of all routes in one Redis, by its clock. What a dead server has under way leaves after its lease. */
export class RedisWindow implements SharedWindow<RedisSend> {
  readonly #url: string
  readonly #now: () => number | ''
  /** Of this process, so that no send has the id of another one. */
  readonly #name = randomBytes(9).toString('base64url')
  #count = 0
  #redis: Redis | undefined
  #closed = false

  /** @param now tests turn the clock; by default it is the clock of Redis */
  constructor (url: string, now: () => number | '' = () => '') {
    this.#url = url
    this.#now = now
  }

  /** A connection that hangs may never come back, so it is a new one each time. */
  async connect (): Promise<void> {
    const { redisClient } = await import('../../../state/redis-client.js')
    this.#redis?.disconnect()
    if (this.#closed) throw new Error('closed')
    const redis = redisClient(this.#url, COMMAND_TIMEOUT, { commandTimeout: COMMAND_TIMEOUT })
    redis.defineCommand('enterLimit', { numberOfKeys: 5, lua: ENTER })
    redis.defineCommand('leaveLimit', { numberOfKeys: 5, lua: LEAVE })
    this.#redis = redis
    try {
      await redis.connect()
      await redis.set(`${PREFIX}probe`, '', 'PX', COMMAND_TIMEOUT) // a Redis that takes no writes is of no use
    } catch (error) {
      redis.disconnect()
      throw error
    }
  }

  async enter (route: string, { client, share, reserved, ahead, aheadOwn, lease }: Ask): Promise<RedisSend | Refusal> {
    const id = this.#newId()
    const answer = await this.#client.enterLimit(...keysOf(route, client), this.#now(), id,
      share, reserved ? 1 : 0, ahead, aheadOwn, Math.ceil(Math.max(0, Math.min(lease, LONGEST_LEASE))))
    if (answer[0] === 0) {
      const [, wait, held, limit] = answer as [number, number, number, number]
      return { wait, held: held === 1, limit: limit > 0 ? limit : undefined }
    }
    const [, begunAt, inWindow, number, endedBefore] = answer as [number, number, number, number, number]
    return { id, client, begunAt, inWindow, number, endedBefore }
  }

  async leave (route: string, client: string, send: RedisSend | undefined, feedback: Feedback): Promise<void> {
    const unknown = { id: this.#newId(), begunAt: 0, inWindow: 0, number: 0, endedBefore: 0 }
    const { id, begunAt, inWindow, number, endedBefore } = send ?? unknown
    await this.#client.leaveLimit(
      ...keysOf(route, client), this.#now(), id, begunAt, inWindow, number, endedBefore, ...scriptArgumentsOf(feedback))
  }

  close (): void {
    this.#closed = true
    this.#redis?.disconnect()
  }

  get #client (): Redis {
    if (!this.#redis) throw new Error('not connected')
    return this.#redis
  }

  #newId = () => `${this.#name}.${++this.#count}`
}

function scriptArgumentsOf (feedback: Feedback): Argument[] {
  if (typeof feedback !== 'object') return [feedback ?? 'nothing', 0, 0, 0]
  const { limit = 0, remaining, reset, blocked } = feedback
  return [
    blocked ? 'blocked' : 'quota', limit === Infinity ? -1 : limit, limit === Infinity ? 0 : remaining, Math.ceil(reset)
  ]
}
