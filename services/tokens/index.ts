import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { verify } from '@node-rs/bcrypt'
import { LRUCache } from 'lru-cache'
import pLimit from 'p-limit'
import { refusalOfForm, type Refusal } from './forms.js'

export { refusals, type Refusal } from './forms.js'

/** Tokens that are remembered, and for how long (milliseconds). */
const REMEMBERED = { max: 1000, ttl: 10 * 60_000 }

/** Checks that run at once: each keeps a thread of libuv's pool of four busy. */
const CHECKS_AT_ONCE = 2

/** @returns 'valid', or why the token is refused */
export type CheckToken = (token: string | undefined) => Promise<'valid' | Refusal> | 'valid' | Refusal

/**
 * Checks of `X-Auth-Token` against one pre-shared key: the token is a bcrypt hash of it.
 *
 * A token that was found valid is remembered as its HMAC under a key of this process, so that the next request with it
 * costs microseconds, and a dump of the memory shows no token.
 */
export function tokenCheck (key: string): CheckToken {
  const processKey = randomBytes(32)
  const digest = (text: string) => createHmac('sha256', processKey).update(text).digest()
  const digestOfKey = digest(key)
  const valid = new LRUCache<string, true>(REMEMBERED)
  const underWay = new Map<string, Promise<'valid' | Refusal>>()
  const limit = pLimit(CHECKS_AT_ONCE)

  return (token) => {
    if (!token) return 'missing'
    const digested = digest(token)
    const name = digested.toString('base64')
    if (valid.has(name)) return 'valid'
    const refusal = refusalOfForm(token)
    if (refusal) return timingSafeEqual(digested, digestOfKey) ? 'key-itself' : refusal
    const checking = underWay.get(name) ?? limit(async () => {
      if (!await verify(key, token)) return 'wrong'
      valid.set(name, true)
      return 'valid'
    }).finally(() => underWay.delete(name))
    underWay.set(name, checking)
    return checking
  }
}
