import { pointerTo, visitLeaves } from './leaves.js'
import { MASK } from './secrets.js'

/** Masks that are named at most: enough to see what is wrong. */
const MOST = 100

/** A text with what editors and shells put at its end, in base64. */
const encoded = (text: string) => ['', ' ', '\n', '\r\n'].map((end) => btoa(text + end))

/** What comes back of a mask: itself, in base64, and in base64 once more from who does not know that it was already. */
const masks = new Set([MASK, ...encoded(MASK), ...encoded(MASK).flatMap(encoded)])

/**
 * JSON pointers to the strings in a body that are a mask, not what was masked: sent on, it would be stored in place of
 * the secret. Space around it does not count. At most 100 of them.
 */
export function masksIn (body: unknown): string[] {
  const found: string[] = []
  visitLeaves(body, (leaf, place) => {
    if (typeof leaf === 'string' && found.length < MOST && masks.has(leaf.trim())) found.push(pointerTo(place))
  })
  return found
}
