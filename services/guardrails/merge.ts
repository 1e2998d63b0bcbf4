import { isObject, type JsonObject } from './places.js'

/**
 * What an update leaves behind in Spot: a key that is missing keeps its value, objects merge key by key, everything
 * else takes the place of what was there, null and arrays too. Neither argument is changed.
 */
export function merge (present: JsonObject, sent: JsonObject): JsonObject {
  const merged = Object.entries(sent).map(([key, value]): [string, unknown] => {
    const before = Object.hasOwn(present, key) ? present[key] : undefined
    return [key, isObject(before) && isObject(value) ? merge(before, value) : value]
  })
  // Keys are defined, not assigned: "__proto__" is a key like any other.
  return { ...present, ...Object.fromEntries(merged) }
}
