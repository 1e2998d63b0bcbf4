import { isDeepStrictEqual } from 'node:util'
import { masked } from '../masking/index.js'
import { pointerTo } from '../problems/pointer.js'
import { isObject } from '../resources/json.js'

/** One value that an update changes; the JSON pointer leads into its body. `before` is missing where there is none. */
export interface Difference { pointer: string, before?: unknown, after: unknown }

/**
 * What an update changes, secrets masked. As Spot has it, a key that is missing keeps its value, objects merge key by
 * key, and everything else takes the place of what was there, null and arrays too.
 */
export function differences (present: unknown, sent: unknown): Difference[] {
  const found: Difference[] = []

  /** Compares what is there, and shows what may be seen of it: two secrets that differ look the same. */
  function compare (path: string[], now: unknown, then: unknown, seenNow: unknown, seenThen: unknown) {
    if (isObject(now) && isObject(then)) {
      for (const name of Object.keys(then)) {
        compare([...path, name], own(now, name), then[name], own(seenNow, name), own(seenThen, name))
      }
    } else if (!isDeepStrictEqual(now, then)) {
      found.push({ pointer: pointerTo(path), ...now !== undefined && { before: seenNow }, after: seenThen })
    }
  }

  compare([], present, sent, masked(present), masked(sent))
  return found
}

const own = (value: unknown, name: string) =>
  isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined
