import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { verify as bcryptVerify } from '@node-rs/bcrypt'
import { LRUCache } from 'lru-cache'
import pLimit from 'p-limit'
import { failureLimit } from './failures.js'
import { refusalOfForm, type Refusal } from './forms.js'

export { failureLimit } from './failures.js'
export { refusals, type Refusal } from './forms.js'

/**
 * Tokens that are remembered, and for how long (milliseconds): valid ones since their last use. Wrong ones are kept
 * apart, so that a flood of them does not evict a valid one. Valid ones expire by the second: to be exact to the
 * millisecond takes a timer each millisecond.
 */
const VALID = { max: 1000, ttl: 10 * 60_000, ttlResolution: 1000, updateAgeOnGet: true }
const WRONG = { max: 1000, ttl: 60_000 }

/**
 * Checks that run at once: each occupies one of libuv's four threads, and a processor. One processor is left for
 * requests: on two, two checks at once made a remembered token take three times as long.
 */
const CHECKS_AT_ONCE = Math.max(1, Math.min(2, availableParallelism() - 1))

/** Checks that wait: at the highest cost they take some four seconds. */
const CHECKS_WAITING = 32

/** Requests that wait for a check, their own or one of the same token. */
const REQUESTS_WAITING = 1000

/** Why a token is not checked now: too many wrong ones from the address, or too many checks waiting. */
export type Delay = 'limited' | 'overloaded'

/** A client, as far as tokens are concerned. */
export interface Holder { name: string, keys: readonly string[] }

/** The holder whose key matches the token, or why the token is refused. */
export type Verdict<H extends Holder> = H | Refusal | Delay

export interface Tokens<H extends Holder> {
  /**
   * Finds the holder whose key matches a token.
   *
   * @param address of the caller
   * @param name of the holder, if the caller sent it: then no other key is tried
   */
  check (token: string | undefined, address?: string, name?: string): Verdict<H> | Promise<Verdict<H>>
  /** Replaces the holders. Tokens of keys that are gone are forgotten. */
  use (holders: readonly H[]): void
}

interface Key<H> { holder: H, key: string }

/** Whether a token is a hash of a key. */
export type Verify = (key: string, token: string) => Promise<boolean>

/**
 * Checks of `X-Auth-Token` against pre-shared keys: the token is a bcrypt hash of one.
 *
 * A checked token is remembered as its hash with a secret of this process: the next request with it costs microseconds,
 * and a memory dump shows no token. Only a new token that looks like a hash costs more; those are limited for each
 * address, and few are checked at once.
 *
 * @param tries keys that are tried where the caller sends no name: each costs a bcrypt check
 * @param verify whether a token is a hash of a key; default: bcrypt
 */
export function tokens<H extends Holder> (
  holders: readonly H[], { tries = 4, failures = failureLimit(), verify = bcryptVerify as Verify } = {}
): Tokens<H> {
  const secret = randomBytes(32).toString('base64')
  const nameOf = (token: string) => hash('sha256', secret + token, 'base64')
  const valid = new LRUCache<string, Key<H>>(VALID)
  const wrong = new LRUCache<string, true>(WRONG)
  const underWay = new Map<string, Promise<H | 'wrong'>>()
  const limit = pLimit(CHECKS_AT_ONCE)
  let waiting = 0
  /** How often the holders were replaced. */
  let changes = 0
  let keys: Key<H>[] = []
  /** Hashes of the keys, to be compared with that of a token in constant time. */
  let namesOfKeys: Buffer[] = []

  const keysOf = (name: string | undefined) =>
    name === undefined ? keys.slice(0, tries) : keys.filter(({ holder }) => holder.name === name)

  /** The same key as it is configured now. */
  const current = ({ holder, key }: Key<H>) =>
    keys.find((other) => other.holder.name === holder.name && other.key === key)

  function startCheck (token: string, name: string, address: string, tried: Key<H>[]): Promise<H | 'wrong'> {
    const takeBack = failures.expect(address)
    const began = changes
    const checking = limit(async () => {
      for (const key of tried) {
        if (!await verify(key.key, token)) continue
        takeBack()
        const now = current(key) // it may be gone by now
        if (now === undefined) return 'wrong'
        valid.set(name, now)
        return now.holder
      }
      if (began === changes) wrong.set(name, true)
      return 'wrong'
    }).finally(() => { if (underWay.get(name) === checking) underWay.delete(name) })
    underWay.set(name, checking)
    return checking
  }

  function use (holders: readonly H[]) {
    changes++
    keys = holders.flatMap((holder) => holder.keys.map((key) => ({ holder, key })))
    namesOfKeys = keys.map(({ key }) => Buffer.from(nameOf(key)))
    for (const [name, key] of [...valid.entries()]) {
      const now = current(key)
      if (now) valid.set(name, now)
      else valid.delete(name)
    }
    wrong.clear() // what was wrong may be right now
    underWay.clear()
  }

  use(holders)
  return {
    use,
    check (token, address = '', holder) {
      if (!token) return 'missing'
      const name = nameOf(holder === undefined ? token : `${token}\n${holder}`)
      const known = valid.get(name)
      if (known) return known.holder
      const refusal = refusalOfForm(token)
      if (refusal) {
        const named = Buffer.from(nameOf(token))
        return namesOfKeys.some((key) => timingSafeEqual(key, named)) ? 'key-itself' : refusal
      }
      const tried = keysOf(holder)
      if (wrong.get(name) || tried.length === 0) return 'wrong'

      const checking = underWay.get(name)
      if (!checking && failures.secondsLeft(address) > 0) return 'limited'
      if (waiting >= REQUESTS_WAITING || (!checking && limit.pendingCount >= CHECKS_WAITING)) return 'overloaded'
      waiting++
      return (checking ?? startCheck(token, name, address, tried)).finally(() => { waiting-- })
    }
  }
}
