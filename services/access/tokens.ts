import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { verify as bcryptVerify } from '@node-rs/bcrypt'
import { LRUCache } from 'lru-cache'
import { failureLimit } from './failures.js'
import { KEY_BYTES, refusalOfForm, type Refusal } from './forms.js'
import { Remembered } from './remembered.js'
import { Turns } from './turns.js'

export { failureLimit } from './failures.js'
export { refusals, type Refusal } from './forms.js'

/** Refused tokens that are remembered, and for how long (milliseconds); they push out no valid one. */
const REFUSED = { max: 1000, ttl: 60_000 }

/**
 * Checks that run at once: each occupies one of libuv's four threads, and a processor. One processor is left for
 * requests: on two, two checks at once made a remembered token take three times as long.
 */
const CHECKS_AT_ONCE = Math.max(1, Math.min(2, availableParallelism() - 1))

/** Checks that wait: at the highest cost they take some four seconds. */
const CHECKS_WAITING = 32

/** Requests that wait for a check, their own or one of the same token. */
const REQUESTS_WAITING = 1000

/** Why a token is not checked now: too many wrong ones from the address, or too many checks waiting for too long. */
export type Delay = 'limited' | 'overloaded'

/** A client, as far as tokens are concerned. */
export interface Holder { name: string, keys: readonly string[] }

/** The holder whose key matches the token, or why the token is refused. */
export type Verdict<H extends Holder> = H | Refusal | Delay

export interface Caller {
  address?: string
  /** Name of the holder, if the caller sent it: then no other key is tried. */
  name?: string | undefined
  /** Milliseconds that the caller may wait for a check. */
  within?: number
}

export interface Tokens<H extends Holder> {
  /** Finds the holder whose key matches a token. */
  check (token: string | undefined, caller?: Caller): Verdict<H> | Promise<Verdict<H>>
  /** Replaces the holders. Tokens of keys that are gone are forgotten. */
  use (holders: readonly H[]): void
}

interface Key<H> { holder: H, key: string }

/** A token that is being checked, and the requests that wait for it. */
interface Check<H> { verdict: Promise<H | 'wrong' | 'overloaded'>, requests: number, stop: () => void }

/** Whether a token is a hash of a key. */
export type Verify = (key: string, token: string) => Promise<boolean>

/**
 * Checks of `X-Auth-Token` against pre-shared keys: the token is a bcrypt hash of one.
 *
 * A checked token is remembered as its hash with a secret of this process: the next request with it costs microseconds,
 * and a memory dump shows no token. Only a new token that looks like a hash costs more; those are limited for each
 * address, and few are checked at once. After each key an address with fewer failures comes first.
 *
 * @param tries keys that are tried where the caller sends no name: each costs a bcrypt check
 * @param verify whether a token is a hash of a key; default: bcrypt
 */
export function tokens<H extends Holder> (
  holders: readonly H[], { tries = 4, failures = failureLimit(), verify = bcryptVerify as Verify } = {}
): Tokens<H> {
  const secret = randomBytes(32).toString('base64')
  const nameOf = (token: string) => hash('sha256', secret + token, 'binary')
  const valid = new Remembered<Key<H>>()
  const refused = new LRUCache<string, Refusal>(REFUSED)
  const underWay = new Map<string, Check<H>>()
  const turns = new Turns(CHECKS_AT_ONCE, CHECKS_WAITING)
  let waiting = 0
  /** How often the holders were replaced. */
  let changes = 0
  let keys: Key<H>[] = []
  /** Keys of the holder that has most. */
  let mostKeys = 1
  /** Hashes of the keys, to be compared with that of a token in constant time. */
  let namesOfKeys: Buffer[] = []

  /** Of a named holder as many for every name, known or not: the time that a check takes says nothing. */
  function keysTried (holder: string | undefined): string[] {
    if (holder === undefined) return keys.slice(0, tries).map(({ key }) => key)
    const own = keys.filter(({ holder: { name } }) => name === holder).map(({ key }) => key)
    return [...own, ...Array<string>(mostKeys - own.length).fill(secret)]
  }

  /** A key as it is configured now, if it is. */
  const current = (wanted: string, holder: string | undefined) =>
    keys.find(({ key, holder: { name } }) => key === wanted && (holder === undefined || name === holder))

  function startCheck (token: string, name: string, { address = '', name: holder }: Caller): Check<H> {
    const takeBack = failures.expect(address)
    const began = changes
    const stopping = new AbortController()
    const rank = () => failures.of(address)

    async function verdictOf (): Promise<H | 'wrong' | 'overloaded'> {
      let holdsTurn = false
      try {
        for (const [index, key] of keysTried(holder).entries()) {
          const turn = turns.take(rank, stopping.signal)
          if (holdsTurn) turns.end() // after it asked for another, so that it may go on
          holdsTurn = await turn
          if (!holdsTurn) {
            if (index === 0) takeBack() // it cost nothing
            return 'overloaded'
          }
          if (!await verify(key, token)) continue
          takeBack()
          const now = current(key, holder) // it may be gone by now
          if (now === undefined) return 'wrong'
          valid.set(name, now)
          return now.holder
        }
      } finally {
        if (holdsTurn) turns.end()
      }
      if (began === changes) refused.set(name, 'wrong')
      return 'wrong'
    }

    const end = () => { if (underWay.get(name) === check) underWay.delete(name) }
    const check: Check<H> = {
      verdict: verdictOf(),
      requests: 0,
      stop () {
        end()
        stopping.abort()
      }
    }
    check.verdict.then(end, end)
    underWay.set(name, check)
    return check
  }

  /** The verdict, if it is there in time. When nobody waits any more, no more keys are tried. */
  async function wait (check: Check<H>, within: number | undefined): Promise<H | 'wrong' | 'overloaded'> {
    let timer: NodeJS.Timeout | undefined
    waiting++
    check.requests++
    const late = new Promise<'overloaded'>((resolve) => {
      if (within !== undefined) timer = setTimeout(() => resolve('overloaded'), within)
    })
    try {
      return await Promise.race([check.verdict, late])
    } finally {
      clearTimeout(timer)
      waiting--
      if (--check.requests === 0) check.stop()
    }
  }

  /**
   * Why a text is refused that is no hash. One that may be a key is a guess, and each guess counts as a failure:
   * whoever has too many does not learn whether it is right.
   */
  function refusalOfText (token: string, form: 'malformed' | 'expanded', address: string): Refusal {
    const bytes = Buffer.byteLength(token)
    const isGuess = bytes >= KEY_BYTES.fewest && bytes <= KEY_BYTES.most
    if (!isGuess || failures.secondsLeft(address) > 0) return form
    const name = nameOf(token)
    const known = refused.get(name)
    if (known) return known
    failures.expect(address)
    const named = Buffer.from(name, 'binary')
    const equal = namesOfKeys.filter((key) => timingSafeEqual(key, named))
    const refusal = equal.length > 0 ? 'key-itself' : form
    refused.set(name, refusal)
    return refusal
  }

  function use (holders: readonly H[]) {
    changes++
    keys = holders.flatMap((holder) => holder.keys.map((key) => ({ holder, key })))
    mostKeys = Math.max(1, ...holders.map((holder) => holder.keys.length))
    namesOfKeys = keys.map(({ key }) => Buffer.from(nameOf(key), 'binary'))
    valid.update(({ key, holder }) => current(key, holder.name))
    refused.clear() // what was wrong may be right now
    underWay.clear()
  }

  use(holders)
  return {
    use,
    check (token, caller = {}) {
      if (!token) return 'missing'
      const { address = '', name: holder, within } = caller
      const name = nameOf(holder === undefined ? token : `${token}\n${holder}`)
      const known = valid.get(name)
      if (known) return known.holder
      const form = refusalOfForm(token)
      if (form) return form === 'costly' ? form : refusalOfText(token, form, address)
      const refusal = refused.get(name)
      if (refusal) return refusal

      const check = underWay.get(name)
      if (!check && failures.secondsLeft(address) > 0) return 'limited'
      const hasRoom = waiting < REQUESTS_WAITING && (check || turns.admit(failures.of(address) + 1))
      if (!hasRoom) return 'overloaded'
      return wait(check ?? startCheck(token, name, caller), within)
    }
  }
}
