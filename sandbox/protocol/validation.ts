import { isObject, read } from './json.js'
import type { JsonObject } from './json.js'

/** What one field of a body may hold. Null is allowed unless the field is required: it clears. */
export interface Rule {
  /** Dotted path below the envelope; `[]` after a segment stands for every element of the array. */
  path: string
  type: 'string' | 'number' | 'integer' | 'boolean' | 'array' | 'object'
  /** Required on create, if its parent is present. */
  required?: boolean
  /** Whether a required field may be null. */
  nullable?: boolean
  minimum?: number
  maximum?: number
  /** At least this many elements. */
  minItems?: number
  oneOf?: readonly string[]
}

/** One violation, worded as Joi does, which the vendor validates with. */
export interface Violation {
  message: string
  field: string
}

/**
 * All violations of `rules` in `content`; fields without a rule may hold anything. Field names begin with `envelope`,
 * unless that is empty. With `nullable` false, null is a value of the wrong type.
 */
export function violations (
  rules: Rule[], content: JsonObject, envelope: string, creating: boolean, nullable = true
): Violation[] {
  const found: Violation[] = []
  for (const rule of rules) {
    for (const { field, value } of locations(content, rule.path.split('.'), envelope)) {
      const message = messageFor(rule, value, creating && rule.required === true, nullable)
      if (message !== undefined) found.push({ message: `"${label(field)}" ${message}`, field })
    }
  }
  return found
}

/** `content` with strings converted as Joi does: `"2"` if the rule wants a number, `"True"` if it wants a boolean. */
export function converted (rules: Rule[], content: JsonObject): JsonObject {
  const copy = structuredClone(content)
  for (const { path, type } of rules.filter(({ type }) => CONVERSIONS[type] !== undefined)) {
    const keys = path.split('.')
    const key = keys.pop() ?? ''
    const name = key.replace('[]', '')
    for (const { value: parent } of locations(copy, keys, '')) {
      if (!isObject(parent) || !Object.hasOwn(parent, name)) continue
      const value = parent[name]
      const isList = key !== name && Array.isArray(value)
      parent[name] = isList ? value.map((item) => convert(type, item)) : convert(type, value)
    }
  }
  return copy
}

/** `value` as the type that a rule wants, if it is a string that Joi converts. */
export function convert (type: Rule['type'], value: unknown): unknown {
  return typeof value === 'string' ? CONVERSIONS[type]?.(value) ?? value : value
}

const toNumber = (text: string) => /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : undefined
const toBoolean = (text: string) => /^(true|false)$/i.test(text) ? text.toLowerCase() === 'true' : undefined
const CONVERSIONS: { [T in Rule['type']]?: (text: string) => unknown } = {
  number: toNumber, integer: toNumber, boolean: toBoolean
}

/** A violation for every key of `value` that is not `allowed`. */
export function unknownKeys (value: JsonObject, allowed: readonly string[], prefix = ''): Violation[] {
  return Object.keys(value)
    .filter((key) => !allowed.includes(key))
    .map((key) => ({ message: `"${key}" is not allowed`, field: `${prefix}${key}` }))
}

/** A violation for each of `paths` whose value was set in `before` and differs in `after`. */
export function changed (paths: string[], before: JsonObject, after: JsonObject, envelope: string): Violation[] {
  return paths
    .filter((path) => {
      const old = read(before, path)
      return old !== undefined && old !== null && old !== read(after, path)
    })
    .map((path) => ({ message: `"${label(path)}" cannot be changed after creation`, field: `${envelope}.${path}` }))
}

function messageFor (rule: Rule, value: unknown, required: boolean, nullable: boolean): string | undefined {
  if (value === undefined) return required ? 'is required' : undefined
  if (value === null && (required ? rule.nullable : nullable)) return undefined
  const { minimum, maximum, minItems = 0, oneOf } = rule
  if (rule.type === 'number' || rule.type === 'integer') {
    if (typeof value !== 'number') return 'must be a number'
    if (rule.type === 'integer' && !Number.isInteger(value)) return 'must be an integer'
    if (minimum !== undefined && value < minimum) return `must be greater than or equal to ${minimum}`
    if (maximum !== undefined && value > maximum) return `must be less than or equal to ${maximum}`
    return undefined
  }
  if (rule.type === 'array') {
    if (!Array.isArray(value)) return 'must be an array'
    return value.length < minItems ? `must contain at least ${minItems} items` : undefined
  }
  if (rule.type === 'object') return isObject(value) ? undefined : 'must be an object'
  if (rule.type === 'boolean') return typeof value === 'boolean' ? undefined : 'must be a boolean'
  if (typeof value !== 'string') return 'must be a string'
  if (required && value === '') return 'is not allowed to be empty'
  if (oneOf !== undefined && !oneOf.includes(value)) return `must be one of [${oneOf.join(', ')}]`
  return undefined
}

/** The locations of a path: one, or one for each element of an array; none if a parent is not an object. */
export function locations (value: unknown, path: string[], field: string): { field: string, value: unknown }[] {
  const [segment, ...rest] = path
  if (segment === undefined) return [{ field, value }]
  if (!isObject(value)) return []
  const key = segment.replace('[]', '')
  const next = Object.hasOwn(value, key) ? value[key] : undefined
  const there = field === '' ? key : `${field}.${key}`
  if (!segment.endsWith('[]')) return locations(next, rest, there)
  if (!Array.isArray(next)) return []
  return next.flatMap((element, index) => locations(element, rest, `${there}.${index}`))
}

function label (field: string): string {
  return field.slice(field.lastIndexOf('.') + 1)
}
