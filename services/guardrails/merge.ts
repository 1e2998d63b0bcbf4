import { isObject, type JsonObject } from '../resources/json.js'

/**
 * What a resource is after an update in Spot: a missing key keeps its value, objects merge key by key, and everything
 * else replaces the value, null and arrays included. Neither argument is changed.
 */
export function merge (present: JsonObject, sent: JsonObject): JsonObject {
  const merged = Object.entries(sent).map(([key, value]): [string, unknown] => {
    const before = Object.hasOwn(present, key) ? present[key] : undefined
    return [key, isObject(before) && isObject(value) ? merge(before, value) : value]
  })
  // Keys are defined, not assigned: "__proto__" is a key like any other.
  return { ...present, ...Object.fromEntries(merged) }
}
