import { Ajv, type Options, type SchemaValidateFunction, type ValidateFunction } from 'ajv'
import addFormats from 'ajv-formats'
import { document, resolve, type Operation, type Parameter } from './document.js'

/** The components are known to the validator once, under this id; references lead there. */
const ROOT = 'spot-api'

/** The document itself is checked when it is linted and in tests; at the start that would cost a tenth of a second. */
const atOnce: Options = { meta: false, validateSchema: false, code: { optimize: false } }

/** Parameters that are integers in decimal: Ajv would take `0x10`, `1e1` and ` 1` for numbers. */
const decimal: SchemaValidateFunction = (names: string[], parameters: Record<string, unknown>) => {
  decimal.errors = names
    .filter((name) => typeof parameters[name] === 'string' && !/^-?\d+$/.test(parameters[name]))
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
export const compileBody = compiler({ coerceTypes: false, useDefaults: false })
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
