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
  const pattern = new RegExp(longestFirst.map((form) => form.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')).join('|'), 'g')
  return (text) => text.replace(pattern, MASK)
}

/** As in a URL; half a surrogate pair cannot stand there. */
const encoded = (secret: string) => encodeURIComponent(Buffer.from(secret).toString())
