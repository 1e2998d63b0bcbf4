import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { verify } from '@node-rs/bcrypt'
import { LRUCache } from 'lru-cache'
import pLimit from 'p-limit'
import { failureLimit } from './failures.js'
import { refusalOfForm, type Refusal } from './forms.js'

export { failureLimit } from './failures.js'
export { refusals, type Refusal } from './forms.js'

/**
 * Tokens that are remembered, and for how long (milliseconds): valid ones since they were last used. Wrong ones have a
 * place of their own, so that no flood of them drives out a valid one.
 */
const VALID = { max: 1000, ttl: 10 * 60_000, updateAgeOnGet: true }
const WRONG = { max: 1000, ttl: 60_000 }

/**
 * Checks that run at once: each keeps a thread of libuv's pool of four busy, and a processor. One processor is left to
 * the requests: on two, two checks at once made a remembered token take three times as long.
 */
const CHECKS_AT_ONCE = Math.max(1, Math.min(2, availableParallelism() - 1))

/** Checks that wait for others: at the highest cost they take some four seconds. */
const CHECKS_WAITING = 32

/** Requests that wait for a check, their own or that of the same token. */
const REQUESTS_WAITING = 1000

/** Why a token is not even checked: too many wrong ones came from the address, or too many checks wait. */
export type Delay = 'limited' | 'overloaded'

/** A label of the metrics, so the set is closed. */
export type Result = 'valid' | Refusal | Delay

/**
 * @param address of the caller
 * @returns 'valid', or why the token is refused
 */
export type CheckToken = (token: string | undefined, address?: string) => Promise<Result> | Result

/**
 * Checks of `X-Auth-Token` against one pre-shared key: the token is a bcrypt hash of it.
 *
 * A token that was checked is remembered as its hash with a secret of this process, so that the next request with it
 * costs microseconds, and a dump of the memory shows no token. Only a new token that looks like a hash costs more, and
 * of these an address has few, and the server checks few at once.
 */
export function tokenCheck (key: string, failures = failureLimit()): CheckToken {
  const secret = randomBytes(32).toString('base64')
  const nameOf = (token: string) => hash('sha256', secret + token, 'base64')
  const nameOfKey = Buffer.from(nameOf(key))
  const valid = new LRUCache<string, true>(VALID)
  const wrong = new LRUCache<string, true>(WRONG)
  const underWay = new Map<string, Promise<'valid' | 'wrong'>>()
  const limit = pLimit(CHECKS_AT_ONCE)
  let waiting = 0

  function startCheck (token: string, name: string, address: string): Promise<'valid' | 'wrong'> {
    const takeBack = failures.expect(address)
    const checking = limit(async () => {
      const isRight = await verify(key, token)
      ;(isRight ? valid : wrong).set(name, true)
      if (isRight) takeBack()
      return isRight ? 'valid' : 'wrong'
    }).finally(() => underWay.delete(name))
    underWay.set(name, checking)
    return checking
  }

  return (token, address = '') => {
    if (!token) return 'missing'
    const name = nameOf(token)
    if (valid.get(name)) return 'valid'
    const refusal = refusalOfForm(token)
    if (refusal) return timingSafeEqual(Buffer.from(name), nameOfKey) ? 'key-itself' : refusal
    if (wrong.get(name)) return 'wrong'

    const checking = underWay.get(name)
    if (!checking && failures.secondsLeft(address) > 0) return 'limited'
    if (waiting >= REQUESTS_WAITING || (!checking && limit.pendingCount >= CHECKS_WAITING)) return 'overloaded'
    waiting++
    return (checking ?? startCheck(token, name, address)).finally(() => { waiting-- })
  }
}
