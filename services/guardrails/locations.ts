import type { ProblemError } from '../problems/index.js'
import { pointerTo, type JsonPath } from '../problems/pointer.js'
import type { JsonObject } from '../resources/json.js'
import type { Value } from './values.js'

/** Where the caller finds a value of the resource: in the request, or in the present resource. */
export interface Location {
  at: Pick<ProblemError, 'pointer' | 'parameter'>
  /** Whether the request leaves the value as it is. */
  unchanged: boolean
  /** What stands before and after the message about it. */
  prefix?: string
  suffix?: string
}

export type Locate = (path: JsonPath) => Location

const pointer = (path: JsonPath) => ({ pointer: pointerTo(path) })

/**
 * Locates values in a body.
 *
 * @param updates whether what is missing in the body stays as it is
 * @param below the part of the resource that the body is
 */
export const inBody = (body: JsonObject, updates: boolean, below: JsonPath = []): Locate => (path) => {
  const inside = path.slice(below.length)
  let value: unknown = body
  for (const [i, step] of inside.entries()) {
    // A value that is not an object, null above all, also decides what is below it.
    if (typeof value !== 'object' || value === null) return { at: pointer(inside.slice(0, i)), unchanged: false }
    if (Object.hasOwn(value, step)) value = (value as JsonObject)[step]
    else if (updates) return { at: pointer(path), unchanged: true, suffix: ' (it is so now)' }
    else break
  }
  return { at: pointer(inside), unchanged: false }
}

/** Locates values in a body that has some of them under other names. The suffix is about those it does not have. */
export const renamed = (names: [from: JsonPath, to: JsonPath][], suffix: string): Locate => (path) => {
  const name = names.find(([from]) => from.every((step, i) => path[i] === step))
  if (name) return { at: pointer([...name[1], ...path.slice(name[0].length)]), unchanged: false }
  return { at: pointer([]), unchanged: false, ...path.length > 0 && { prefix: `${path.join('.')} `, suffix } }
}

/** Blames this location for everything. */
export const always = (at: Location['at'], prefix?: string): Locate => () => ({ at, unchanged: false, prefix })

/** An error at a location, whose message can follow its name. */
export const breach = ({ at, prefix = '', suffix = '' }: Location, code: string, words: string): ProblemError =>
  ({ ...at, code, message: `${prefix}${words}${suffix}` })

/** Errors that are listed at most: enough to work with, and a hostile body gets no long answer. */
export const MOST_ERRORS = 20

/** An error for each of these values that is wrong, in the words of `wrong`. */
export function breachesAt (
  values: Value[], locate: Locate, code: string, wrong: (value: Value) => string | undefined
): ProblemError[] {
  const found: ProblemError[] = []
  for (const value of values) {
    if (found.length === MOST_ERRORS) break
    const words = wrong(value)
    if (words !== undefined) found.push(breach(locate(value.path), code, words))
  }
  return found
}
