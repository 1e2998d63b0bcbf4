import { Ajv, type Options, type SchemaValidateFunction, type ValidateFunction } from 'ajv'
import addFormats from 'ajv-formats'
import { document, resolve, type Operation, type Parameter } from './document.js'

/** The components are known to the validator once, under this id; references lead there. */
const ROOT = 'spot-api'

/** The document itself is checked when it is linted and in tests; at the start that would cost a tenth of a second. */
const atOnce: Options = { meta: false, validateSchema: false, code: { optimize: false } }

/** Parameters that are integers in decimal: Ajv would take `0x10` and `1e1` for numbers, and round what is longer. */
const decimal: SchemaValidateFunction = (names: string[], parameters: Record<string, unknown>) => {
  decimal.errors = names
    .filter((name) => typeof parameters[name] === 'string' && !/^-?\d{1,15}$/.test(parameters[name]))
    .map((name) => ({
      instancePath: `/${name}`, keyword: 'type', params: { type: 'integer' }, message: 'must be integer'
    }))
  return decimal.errors.length === 0
}

/** What Fastify takes for a validator: whether a value is valid, and if not, the `errors`. */
export interface LazyValidator {
  (value: unknown): boolean
  errors?: ValidateFunction['errors']
  compile (): void
}

/** Values from which on a body is first searched for one error: to list all of 1 MiB of nonsense takes a second. */
const LARGE = 5000

/** Elements of each array in which more errors of a large body are looked for. */
const SAMPLE = 100

/** The number of values in a value, counted up to `most`. */
function sizeOf (value: unknown, most: number): number {
  if (typeof value !== 'object' || value === null) return 1
  let size = 1
  for (const inner of Object.values(value)) {
    if (size >= most) break
    size += sizeOf(inner, most - size)
  }
  return size
}

/** A value with the beginnings of its arrays. */
function sampleOf (value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.slice(0, SAMPLE).map(sampleOf)
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, sampleOf(inner)]))
}

/**
 * Compiles each schema once, however many routes and apps have it: most operations share their parameters. It does so
 * when the schema is first needed, or when `compile` is called: all of them together take a quarter of a second, which
 * would be the longest part of a start.
 */
function compiler (options: Options) {
  const ajv = new Ajv({
    strict: true, allErrors: true, removeAdditional: false, keywords: ['components'], ...atOnce, ...options
  })
  addFormats.default(ajv)
  // Before Ajv coerces what it looks at.
  ajv.addKeyword({ keyword: 'decimal', type: 'object', before: 'properties', validate: decimal })
  ajv.addSchema({ $id: ROOT, components: document.components })
  const known = new Map<string, LazyValidator>()
  return (schema: object): LazyValidator => {
    const key = JSON.stringify(schema)
    const validator = known.get(key) ?? lazily(() => ajv.compile(schema))
    known.set(key, validator)
    return validator
  }
}

/**
 * Validators whose time grows with the value, however many errors it has: of a large one they report what is wrong at
 * the beginnings of its arrays, or else one error.
 */
function bounded (options: Options) {
  const compileAll = compiler(options)
  const compileFirst = compiler({ ...options, allErrors: false })
  return (schema: object): LazyValidator => {
    const all = compileAll(schema)
    const first = compileFirst(schema)
    const validator: LazyValidator = (value) => {
      const isSmall = sizeOf(value, LARGE) < LARGE
      const valid = isSmall ? all(value) : first(value)
      validator.errors = isSmall ? all.errors : first.errors
      if (valid || isSmall) return valid
      const sample = sampleOf(value)
      if (sizeOf(sample, LARGE) < LARGE && !all(sample)) validator.errors = all.errors
      return false
    }
    validator.compile = () => { all.compile(); first.compile() }
    return validator
  }
}

function lazily (compile: () => ValidateFunction): LazyValidator {
  let validate: ValidateFunction | undefined
  const validator: LazyValidator = (value) => {
    validate ??= compile()
    const valid = validate(value)
    validator.errors = validate.errors
    return valid
  }
  validator.compile = () => { validate ??= compile() }
  return validator
}

/** Bodies reach Spot as they came: nothing is coerced, filled in or taken out. Parameters are text: they need it. */
export const compileBody = bounded({ coerceTypes: false, useDefaults: false })
export const compileParameters = compiler({ coerceTypes: 'array', useDefaults: true })

/** The schemas of an operation, by the names that Fastify has for the parts of a request. */
export const schemasOf = ({ requestBody }: Operation, parameters: Parameter[]) => ({
  params: parametersSchema(parameters, 'path'),
  querystring: parametersSchema(parameters, 'query'),
  ...parameters.some((parameter) => parameter.in === 'header') && { headers: parametersSchema(parameters, 'header') },
  ...requestBody && { body: absolute(requestBody.content['application/json'].schema) }
})

/**
 * Parameters of one kind as one object, closed save for headers: a misspelt one is refused, not ignored. Node has the
 * names of headers in lower case.
 */
function parametersSchema (all: Parameter[], kind: Parameter['in']) {
  const named = all.filter((parameter) => parameter.in === kind)
  const nameOf = ({ name }: Parameter) => kind === 'header' ? name.toLowerCase() : name
  return {
    type: 'object',
    properties: Object.fromEntries(named.map((parameter) => [nameOf(parameter), absolute(parameter.schema)])),
    required: named.filter(({ required }) => required).map(nameOf),
    decimal: named.filter(({ schema }) => isInteger(schema)).map(nameOf),
    additionalProperties: kind === 'header'
  }
}

const isInteger = (schema: { type?: string }) => resolve(schema).type === 'integer'

const absolute = (schema: object) =>
  '$ref' in schema ? { $ref: `${ROOT}${String(schema.$ref)}` } : schema
