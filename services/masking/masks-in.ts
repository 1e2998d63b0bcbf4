import { pointerTo } from '../problems/pointer.js'
import { visitLeaves } from './leaves.js'
import { MASK } from './secrets.js'

/** Masks that are listed at most: enough to see what is wrong. */
const MOST = 100

/** A text in base64, also with what editors and shells append to it. */
const encoded = (text: string) => ['', ' ', '\n', '\r\n'].map((end) => btoa(text + end))

/** Forms in which callers send a mask back: as it is, in base64, and encoded twice by mistake. */
const masks = new Set([MASK, ...encoded(MASK), ...encoded(MASK).flatMap(encoded)])

const maskedUri = /:\/\/[^\s/:@?#]*:\(masked\)@/

/** Whether a text is a mask, or a URI whose password is masked. */
const isMasked = (text: string) => masks.has(text.trim()) || maskedUri.test(text)

/**
 * JSON pointers to the masks in a body: sent to Spot, a mask would replace the secret. Whitespace around it is ignored.
 * At most 100 of them.
 */
export function masksIn (body: unknown): string[] {
  const found: string[] = []
  visitLeaves(body, (leaf, path) => {
    if (typeof leaf === 'string' && found.length < MOST && isMasked(leaf)) found.push(pointerTo(path))
  })
  return found
}
