import { hash } from 'node:crypto'
import { masked, maskedLeaf, visitLeaves } from '../masking/index.js'
import { pointerTo, type JsonPath } from '../problems/pointer.js'

/** One value of a request's body: a JSON pointer, and the value, masked where it is a secret. */
export interface BodyValue {
  pointer: string
  value: unknown
}

/** Longer strings and pointers are cut to this. */
const LONGEST = 256

/**
 * The values of a body, for the audit: secrets masked, long strings cut. None without a body.
 *
 * @param first paths of the values that matter most: all of them are recorded, before any other
 * @param most values that are recorded if there are more; a last entry says how many are not
 */
export function bodyValuesOf (body: unknown, { first = [] as JsonPath[], most = 200 } = {}): BodyValue[] {
  const values: BodyValue[] = []
  if (body === undefined) return values
  const seen = new Set<string>()
  const record: Parameters<typeof visitLeaves>[1] = (leaf, path, mask) => {
    const pointer = pointerTo(path)
    if (seen.has(pointer)) return
    seen.add(pointer)
    values.push({ pointer: cut(pointer), value: shown(leaf, mask) })
  }
  for (const path of first) visitLeaves(valueAt(body, path), record, path)
  let total = 0
  visitLeaves(body, (leaf, path, mask) => {
    total++
    if (values.length < most) record(leaf, path, mask)
  })
  if (total > values.length) values.push({ pointer: '#', value: `(${total - values.length} more)` })
  return values
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
  const value = maskedLeaf(leaf, mask)
  return typeof value === 'string' ? cut(value) : value
}

const cut = (text: string) =>
  text.length > LONGEST ? `${text.slice(0, LONGEST)}… (${text.length - LONGEST} more characters)` : text
