import { inTurns } from '../event-loop/yield.js'
import { maskOf, withoutPasswords } from './secrets.js'

/**
 * A JSON value with its secrets masked: strings and numbers whose property, or one around it, has the name of a secret,
 * and passwords in URIs. Everything else is the same: null, empty strings, booleans, order. The input is not changed;
 * what has no secret is not copied.
 */
export const masked = <T>(value: T): T => covered(value, undefined) as T

/** The same for a list of hundreds, in slices, so that other requests are not held up. */
export async function maskedInTurns<T> (list: readonly T[]): Promise<readonly T[]> {
  const parts = await inTurns(list, (slice) => slice.map(masked))
  const result = parts.flat()
  return result.some((item, index) => item !== list[index]) ? result : list
}

/**
 * A value that is no object as it may be shown.
 *
 * @param mask replaces a string or a number; undefined where the value is not a secret
 */
export function maskedLeaf (leaf: unknown, mask: string | undefined): unknown {
  if (typeof leaf === 'number') return mask ?? leaf
  return typeof leaf === 'string' && leaf !== '' ? mask ?? withoutPasswords(leaf) : leaf
}

/** @param mask what replaces every string and number in the value */
function covered (value: unknown, mask: string | undefined): unknown {
  if (typeof value !== 'object' || value === null) return maskedLeaf(value, mask)
  return Array.isArray(value) ? coveredList(value, mask) : coveredObject(value as Record<string, unknown>, mask)
}

function coveredList (list: unknown[], mask: string | undefined): unknown[] {
  let copy: unknown[] | undefined
  for (let index = 0; index < list.length; index++) {
    const cover = covered(list[index], mask)
    if (cover !== list[index]) (copy ??= [...list])[index] = cover
  }
  return copy ?? list
}

function coveredObject (object: Record<string, unknown>, mask: string | undefined): object {
  let copy: Record<string, unknown> | undefined
  for (const name of Object.keys(object)) {
    const value = object[name]
    const cover = covered(value, mask ?? maskOf(name))
    if (cover !== value) (copy ??= { ...object })[name] = cover
  }
  return copy ?? object
}
