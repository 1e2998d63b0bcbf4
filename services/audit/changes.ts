import { visitLeaves, withoutPasswords } from '../masking/index.js'
import { pointerTo } from '../problems/pointer.js'

/** One value of a request's body: a JSON pointer, and the value, masked where it is a secret. */
export interface Change {
  pointer: string
  value: unknown
}

/** Characters of a string or a pointer that are kept. */
const LONGEST = 256

/**
 * What a body asks for, value by value, for a record of it: secrets masked, long strings cut. Without a body, nothing.
 *
 * @param most values at most; a last entry says how many more there are
 */
export function changesOf (body: unknown, { most = 200 } = {}): Change[] {
  const changes: Change[] = []
  if (body === undefined) return changes
  let more = 0
  visitLeaves(body, (leaf, place, mask) => {
    if (changes.length === most) return more++
    changes.push({ pointer: cut(pointerTo(place)), value: shown(leaf, mask) })
  })
  if (more > 0) changes.push({ pointer: '#', value: `(${more} more)` })
  return changes
}

function shown (leaf: unknown, mask: string | undefined): unknown {
  if (typeof leaf === 'number') return mask ?? leaf
  if (typeof leaf !== 'string') return leaf
  return cut(leaf === '' ? leaf : mask ?? withoutPasswords(leaf))
}

const cut = (text: string) =>
  text.length > LONGEST ? `${text.slice(0, LONGEST)}… (${text.length - LONGEST} more characters)` : text
