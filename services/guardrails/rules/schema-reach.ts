import type { JsonPath } from '../../problems/pointer.js'
import { isObject, type JsonObject } from '../../resources/json.js'

/** Keywords of JSON Schema with schemas for the same place, and those that limit nothing by themselves. */
const SAME_PLACE = ['allOf', 'anyOf', 'oneOf', 'if', 'then', 'else', 'not']
const HARMLESS = [
  'type', 'message', 'definitions', 'title', 'description', 'default', 'examples', '$comment', '$schema'
]

const isWithin = (path: JsonPath, outer: JsonPath) => outer.every((step, i) => path[i] === step)

/**
 * The first place that a schema limits though nobody knows what is there; undefined where there is none.
 *
 * @param root has its definitions
 * @param known what is known of the resource
 */
export function unknownPlace (
  schema: unknown, root: JsonObject, known: readonly JsonPath[], path: JsonPath = []
): JsonPath | undefined {
  if (schema === true || known.some((place) => isWithin(path, place))) return undefined
  if (!isObject(schema) || !known.some((place) => isWithin(place, path))) return path
  const at = (inner: unknown, ...below: string[]) => unknownPlace(inner, root, known, [...path, ...below])
  return firstOf(Object.entries(schema), ([keyword, value]) => {
    if (HARMLESS.includes(keyword)) return undefined
    if (SAME_PLACE.includes(keyword)) return firstOf([value].flat(), (inner) => at(inner))
    if (keyword === 'properties') return firstOf(Object.entries(value as object), ([name, inner]) => at(inner, name))
    if (keyword === 'required') return firstOf(value as string[], (name) => at({}, name))
    if (keyword === '$ref') return at((root.definitions as JsonObject)[String(value).replace('#/definitions/', '')])
    return path
  })
}

function firstOf<T> (all: T[], find: (one: T) => JsonPath | undefined): JsonPath | undefined {
  for (const one of all) {
    const found = find(one)
    if (found !== undefined) return found
  }
}
