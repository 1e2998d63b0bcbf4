import { isObject } from '../protocol/json.js'
import type { JsonObject } from '../protocol/json.js'

/**
 * The result of a PUT: a missing key keeps its value, an explicit null is stored (it clears), objects
 * merge key by key, everything else, arrays included, is replaced. Neither argument is changed.
 * Source: vendor OpenAPI, text of the managed instance update.
 */
export function merge (stored: JsonObject, sent: JsonObject): JsonObject {
  const merged = Object.entries(sent).map(([key, value]): [string, unknown] => {
    const before = Object.hasOwn(stored, key) ? stored[key] : undefined
    return [key, isObject(before) && isObject(value) ? merge(before, value) : value]
  })
  // fromEntries and spread define keys; assigning would let a "__proto__" in the body through.
  return { ...stored, ...Object.fromEntries(merged) }
}
