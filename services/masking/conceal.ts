import { MASK } from './secrets.js'

/** Shorter ones (characters) would be found in texts that have nothing to do with them. */
const SHORTEST = 8

/**
 * Masks secrets in texts: as they are, and as JSON and URLs write them.
 *
 * @returns the text without them
 */
export function concealing (secrets: readonly string[]): (text: string) => string {
  const forms = secrets.filter(({ length }) => length >= SHORTEST).flatMap((secret) => [
    secret, JSON.stringify(secret).slice(1, -1), secret.replaceAll('/', '\\/'), encoded(secret)
  ])
  if (forms.length === 0) return (text) => text
  // Of two that begin alike, the longer one first.
  const longestFirst = [...new Set(forms)].toSorted((a, b) => b.length - a.length)
  const pattern = new RegExp(longestFirst.map(patternOf).join('|'), 'g')
  const shortest = Math.min(...forms.map(({ length }) => length))
  return (text) => text.length < shortest ? text : text.replace(pattern, MASK)
}

/** In a URL a plus is one, or a space: nobody knows which was meant. */
const patternOf = (form: string) => form.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&').replace(/\\\+| /g, '[+ ]')

/** A bcrypt hash, as it is or as URLs write it: of a key, it is a token. */
const HASH = /(?:\$|%24)2[aby](?:\$|%24)\d\d(?:\$|%24)[./\w%]{53,}/gi

/** Characters of a hash: `$2b$10$`, a salt of 22 and 31. */
const HASH_LENGTH = 60

/** Replaces what looks like a token. */
export const withoutTokens = (text: string): string =>
  text.length < HASH_LENGTH ? text : text.replace(HASH, '(token)')

/** A JSON value with all its strings, and the names of its properties, as `rewrite` has them. */
export function rewritten (value: unknown, rewrite: (text: string) => string): unknown {
  if (typeof value === 'string') return rewrite(value)
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((item) => rewritten(item, rewrite))
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [rewrite(name), rewritten(inner, rewrite)]))
}

/** As in a URL; half a surrogate pair cannot stand there. */
const encoded = (secret: string) => encodeURIComponent(Buffer.from(secret).toString())
