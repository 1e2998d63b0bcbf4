import { createRequire } from 'node:module'
import type { ErrorObject, ValidateFunction } from 'ajv'
import type { ProblemError } from '../../problems/index.js'
import { pointerTo, stepsOf, type JsonPath } from '../../problems/pointer.js'
import { matches } from '../../resources/glob.js'
import { isObject, type JsonObject } from '../../resources/json.js'
import type { Resource, ResultingChange } from '../change.js'
import { breach, MOST_ERRORS } from '../locations.js'
import { unknownPlace } from './schema-reach.js'

/** Schemas inside a schema, with those of references: more take long to judge. */
const MOST_SCHEMAS = 1000

/** Their time is not bounded by the length of what is judged. */
const REFUSED = ['pattern', 'patternProperties', 'uniqueItems', '$id', 'format']

/** Keywords of draft-07 whose value is a schema, or has schemas in an array or by name. */
const INSIDE = [
  'additionalItems', 'additionalProperties', 'allOf', 'anyOf', 'contains', 'else', 'if', 'items', 'not', 'oneOf',
  'propertyNames', 'then'
]
const BY_NAME = ['definitions', 'dependencies', 'properties']

interface Clause { schema: JsonObject, validate: ValidateFunction }

const compiled = new WeakMap<object, Clause[]>()

/**
 * Compiles a schema: the whole without its `allOf`, and each entry of that. Of each, the first breach is found, so that
 * judging ends soon, whatever is judged.
 *
 * @throws {TypeError} when it is not a schema, or one whose time is not bounded
 */
export function compileRule (schema: JsonObject): Clause[] {
  const known = compiled.get(schema)
  if (known) return known
  checkBounded(schema)
  const { allOf = [], ...rest } = schema as { allOf?: JsonObject[] }
  const { Ajv } = createRequire(import.meta.url)('ajv') as typeof import('ajv')
  const ajv = new Ajv({ strict: true, strictTypes: false, strictTuples: false, strictRequired: false })
  ajv.addKeyword('message')
  ajv.addKeyword({
    keyword: 'glob',
    type: 'string',
    schemaType: ['string', 'array'],
    validate: (globs: string | string[], text: string) => [globs].flat().some((glob) => matches(glob, text, '?')),
    error: { message: ({ schema }) => `must match ${[schema].flat().join(' or ')}` }
  })
  const { definitions = {} } = rest as { definitions?: JsonObject }
  try {
    ajv.validateSchema(schema, true)
    const clauses = [rest, ...allOf.map((entry) => ({ allOf: [entry], definitions }))]
      .map((clause) => ({ schema: clause, validate: ajv.compile(clause) }))
    compiled.set(schema, clauses)
    return clauses
  } catch (error) {
    throw new TypeError(`is not a JSON Schema of draft-07: ${(error as Error).message}`)
  }
}

function checkBounded (root: JsonObject) {
  let schemas = 0
  function check (value: unknown, within: readonly string[]) {
    if (Array.isArray(value)) return value.forEach((entry) => check(entry, within))
    if (!isObject(value)) return
    if (++schemas > MOST_SCHEMAS) throw new TypeError(`must not have more than ${MOST_SCHEMAS} schemas inside`)
    const refused = REFUSED.find((name) => Object.hasOwn(value, name))
    if (refused !== undefined) throw new TypeError(`must not have ${refused}; "glob" takes the place of patterns`)
    for (const name of INSIDE) check(value[name], within)
    for (const name of BY_NAME) Object.values(value[name] ?? {}).forEach((inner) => check(inner, within))
    if (value.$ref === undefined) return
    const [, name] = /^#\/definitions\/([^/~%]+)$/.exec(String(value.$ref)) ?? []
    const found = name !== undefined && isObject(root.definitions) && Object.hasOwn(root.definitions, name)
    if (!found) throw new TypeError('must have no $ref except to its own definitions: "#/definitions/NAME"')
    if (within.includes(name)) throw new TypeError(`must not be recursive: ${name} refers to itself`)
    check((root.definitions as JsonObject)[name], [...within, name])
  }
  check(root, [])
}

export function schema (schemas: Partial<Record<Resource, JsonObject>>, change: ResultingChange): ProblemError[] {
  const { known, resource, locate } = change
  const whole = schemas[resource] ?? {}
  const unknown = known && unknownPlace(whole, whole, known)
  const found = unknown ? [breach(locate(unknown), 'schema', 'cannot be checked')] : []
  for (const clause of compileRule(whole)) {
    if (clause.validate(change.after)) continue
    for (const error of clause.validate.errors ?? []) found.push(errorOf(error, clause.schema, change))
    if (found.length >= MOST_ERRORS) break
  }
  return found
}

function errorOf (error: ErrorObject, schema: JsonObject, { within, locate }: ResultingChange): ProblemError {
  const { instancePath, params, message = 'is not allowed' } = error
  const name = params.missingProperty ?? params.additionalProperty
  const above = stepsOf(instancePath)
  const path: JsonPath = name === undefined ? above : [...above, String(name)]
  const words = ownMessage(error, schema) ?? (params.missingProperty === undefined ? message : 'must be set')
  if (within === undefined) return breach(locate(path), 'schema', words)
  // The request has only a part of the resource, or a parameter that changes it.
  const inside = within.every((step, i) => path[i] === step)
  const { at, unchanged } = locate(inside ? path : within)
  return breach({ at, unchanged }, 'schema', `leads to a resource whose ${pointerTo(path)} ${words}`)
}

/** The operator's `message` that stands nearest to what was breached. */
function ownMessage ({ schemaPath }: ErrorObject, schema: JsonObject): string | undefined {
  let found: string | undefined
  let at: unknown = schema
  for (const name of stepsOf(decodeURIComponent(schemaPath))) {
    if (isObject(at) && typeof at.message === 'string') found = at.message
    at = typeof at === 'object' && at !== null ? (at as JsonObject)[name] : undefined
  }
  return found
}
