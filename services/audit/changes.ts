import { hash } from 'node:crypto'
import { masked, visitLeaves, withoutPasswords } from '../masking/index.js'
import { pointerTo, type JsonPath } from '../problems/pointer.js'

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
 * @param first paths of the values that matter most: they are recorded before all others
 * @param most values at most; a last entry says how many more there are
 */
export function changesOf (body: unknown, { first = [] as JsonPath[], most = 200 } = {}): Change[] {
  const changes: Change[] = []
  if (body === undefined) return changes
  const seen = new Set<string>()
  const record: Parameters<typeof visitLeaves>[1] = (leaf, path, mask) => {
    if (changes.length === most) return
    const pointer = pointerTo(path)
    if (seen.has(pointer)) return
    seen.add(pointer)
    changes.push({ pointer: cut(pointer), value: shown(leaf, mask) })
  }
  for (const path of first) visitLeaves(valueAt(body, path), record, path)
  let total = 0
  visitLeaves(body, (leaf, path, mask) => {
    total++
    record(leaf, path, mask)
  })
  if (total > most) changes.push({ pointer: '#', value: `(${total - most} more)` })
  return changes
}

/**
 * SHA-256 of a whole body as JSON, in hex: whoever has the body can show that it is the recorded one. Its secrets are
 * masked, as a short one could be guessed from the hash.
 */
export const hashOf = (body: unknown): string | undefined =>
  body === undefined ? undefined : hash('sha256', JSON.stringify(masked(body)))

function valueAt (body: unknown, path: JsonPath): unknown {
  return path.reduce<unknown>((value, step) => (value as Record<string, unknown>)[step], body)
}

function shown (leaf: unknown, mask: string | undefined): unknown {
  if (typeof leaf === 'number') return mask ?? leaf
  if (typeof leaf !== 'string') return leaf
  return cut(leaf === '' ? leaf : mask ?? withoutPasswords(leaf))
}

const cut = (text: string) =>
  text.length > LONGEST ? `${text.slice(0, LONGEST)}… (${text.length - LONGEST} more characters)` : text
