import { MASK } from './secrets.js'

/** Shorter ones (characters) would be found in texts that have nothing to do with them. */
const SHORTEST = 8

/**
 * Masks secrets in texts: as they are, and as JSON and URLs write them. Half a surrogate pair cannot stand in a URL.
 *
 * @returns the text without them
 */
export function concealing (secrets: readonly string[]): (text: string) => string {
  const forms = secrets.filter(({ length }) => length >= SHORTEST).flatMap((secret) => [
    secret, JSON.stringify(secret).slice(1, -1), secret.replaceAll('/', '\\/'), Buffer.from(secret).toString()
  ])
  if (forms.length === 0) return (text) => text
  // Of two that begin alike, the longer one first.
  const longestFirst = [...new Set(forms)].toSorted((a, b) => b.length - a.length)
  const pattern = new RegExp(longestFirst.map(patternOf).join('|'), 'g')
  const shortest = Math.min(...forms.map(({ length }) => length))
  return alsoDecoded((text) => text.length < shortest ? text : text.replace(pattern, MASK))
}

/** A text as it is rewritten, and decoded where that makes a difference to what it says. */
function alsoDecoded (rewrite: (text: string) => string) {
  return (text: string): string => {
    const once = rewrite(text)
    if (!once.includes('%')) return once
    const decoded = decode(once)
    const again = rewrite(decoded)
    return again === decoded ? once : again
  }
}

/** What a URL says; what cannot be decoded stays in part. */
const decode = (url: string) =>
  url.replace(/(?:%[\da-f]{2})+/gi, (bytes) => Buffer.from(bytes.replaceAll('%', ''), 'hex').toString())

/** In a URL a plus is one, or a space: nobody knows which was meant. */
const patternOf = (form: string) => form.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&').replace(/\\\+| /g, '[+ ]')

/** A bcrypt hash: of a key, it is a token. */
const HASH = /\$2[aby]\$\d\d\$[./\w]{53,}/gi

/** Characters of a hash: `$2b$10$`, a salt of 22 and 31. */
const HASH_LENGTH = 60

/** Replaces what looks like a token. */
export const withoutTokens = alsoDecoded((text) => text.length < HASH_LENGTH ? text : text.replace(HASH, '(token)'))

/** A JSON value with all its strings, and the names of its properties, as `rewrite` has them. */
export function rewritten (value: unknown, rewrite: (text: string) => string): unknown {
  if (typeof value === 'string') return rewrite(value)
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((item) => rewritten(item, rewrite))
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [rewrite(name), rewritten(inner, rewrite)]))
}
