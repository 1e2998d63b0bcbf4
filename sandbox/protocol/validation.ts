import { isObject, read } from './json.js'
import type { JsonObject } from './json.js'

/** What one field of a body may hold. Null is fine for all but required ones, as it clears. */
export interface Rule {
  /** Dotted path below the envelope; `[]` after a segment stands for every element of the array. */
  path: string
  type: 'string' | 'number' | 'integer' | 'boolean' | 'array' | 'object'
  /** Asked for on create, where its parent is there. */
  required?: boolean
  minimum?: number
  maximum?: number
  /** At least this many elements. */
  minItems?: number
  oneOf?: readonly string[]
}

/** One thing wrong with a body, in the words of Joi, which the vendor's API validates with. */
export interface Violation {
  message: string
  field: string
}

/**
 * Every violation of `rules` in `content`; fields without a rule may hold anything. Fields are named below `envelope`,
 * unless that is empty. Null is a value like any other where nothing can be cleared (`nullable` false).
 */
export function violations (
  rules: Rule[], content: JsonObject, envelope: string, creating: boolean, nullable = true
): Violation[] {
  const found: Violation[] = []
  for (const rule of rules) {
    for (const { field, value } of places(content, rule.path.split('.'), envelope)) {
      const complaint = complain(rule, value, creating && rule.required === true, nullable)
      if (complaint !== undefined) found.push({ message: `"${label(field)}" ${complaint}`, field })
    }
  }
  return found
}

/** A violation for every key of `value` that is not `allowed`. */
export function strangers (value: JsonObject, allowed: readonly string[], prefix = ''): Violation[] {
  return Object.keys(value)
    .filter((key) => !allowed.includes(key))
    .map((key) => ({ message: `"${key}" is not allowed`, field: `${prefix}${key}` }))
}

/** A violation for each of `paths` that `after` holds otherwise than `before`; what was never set may be set. */
export function changed (paths: string[], before: JsonObject, after: JsonObject, envelope: string): Violation[] {
  return paths
    .filter((path) => {
      const old = read(before, path)
      return old !== undefined && old !== null && old !== read(after, path)
    })
    .map((path) => ({ message: `"${label(path)}" cannot be changed after creation`, field: `${envelope}.${path}` }))
}

function complain (rule: Rule, value: unknown, required: boolean, nullable: boolean): string | undefined {
  if (value === undefined) return required ? 'is required' : undefined
  if (value === null && nullable && !required) return undefined
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

/** Where a path leads: once, or once for each element of the arrays on its way; nowhere below what is no object. */
export function places (value: unknown, path: string[], field: string): { field: string, value: unknown }[] {
  const [segment, ...rest] = path
  if (segment === undefined) return [{ field, value }]
  if (!isObject(value)) return []
  const key = segment.replace('[]', '')
  const next = Object.hasOwn(value, key) ? value[key] : undefined
  const there = field === '' ? key : `${field}.${key}`
  if (!segment.endsWith('[]')) return places(next, rest, there)
  if (!Array.isArray(next)) return []
  return next.flatMap((element, index) => places(element, rest, `${there}.${index}`))
}

function label (field: string): string {
  return field.slice(field.lastIndexOf('.') + 1)
}
