import type { JsonPath } from '../problems/pointer.js'
import { isObject, type JsonObject } from '../resources/json.js'

/** A value in a resource. It does not fit when it is where an object or an array should be. */
export interface Value { path: JsonPath, value: unknown, fits: boolean }

/** All values that a pattern such as `scaling.up[].action.target` matches. Null is not a value. */
export function valuesOf (resource: unknown, pattern: string): Value[] {
  const found: Value[] = []
  const steps = pattern.replaceAll('[]', '.[]').split('.')
  // One array for all paths: a body may have half a million values, and few of their paths are needed.
  const path: (string | number)[] = []

  function walk (value: unknown) {
    const step = steps[path.length]
    if (value === undefined || value === null) return
    if (step === '[]' && Array.isArray(value)) value.forEach((item, i) => enter(i, item))
    else if (step !== undefined && step !== '[]' && isObject(value)) {
      if (Object.hasOwn(value, step)) enter(step, value[step])
    } else found.push({ path: [...path], value, fits: step === undefined })
  }

  function enter (step: string | number, value: unknown) {
    path.push(step)
    walk(value)
    path.pop()
  }

  walk(resource)
  return found
}

/** The value at a path, or undefined where there is none. */
export function valueAt (resource: unknown, path: JsonPath): unknown {
  let value = resource
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined
    value = (value as JsonObject)[step]
  }
  return value
}

/** The string that it is, or undefined when it is anything else. */
export const textOf = ({ value, fits }: Value): string | undefined =>
  fits && typeof value === 'string' ? value : undefined

/** A number, also as a string of digits, as policies may have it; undefined when it is anything else. */
export function amountOf (value: unknown): number | undefined {
  if (typeof value === 'number' && !Number.isNaN(value)) return value
  return typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : undefined
}

/** The caller's text in a message, cut to 60 characters. */
export const quoted = (text: string): string => text.length > 60 ? `${text.slice(0, 60)}…` : text
