import { createRequire } from 'node:module'
import type { ValidateFunction } from 'ajv'
import type { OperationId } from './document.js'
import type { RequestPart, requestSchemas } from './request-schemas.js'

/** What Fastify takes for a validator: whether a value is valid, and if not, the `errors`. */
export interface Validator {
  (value: unknown): boolean
  errors?: ValidateFunction['errors']
}

/** Values from which on a body is first searched for one error: to list all of 1 MiB of nonsense takes a second. */
const LARGE = 5000

/** Elements of each array in which more errors of a large body are looked for. */
const SAMPLE = 100

const require = createRequire(import.meta.url)

/** Functions that `scripts/validators.js` has made of the document. */
function compiled (module: 'parameters' | 'bodies' | 'first-errors'): Record<string, Validator> {
  try {
    return require(`#validators/${module}`)
  } catch (error) {
    throw new Error('The validators are not built. Run: npm run build', { cause: error })
  }
}

/** The validator of a part of an operation's requests. */
export function validatorOf (operationId: OperationId, part: RequestPart, schema: unknown): Validator {
  const name = `${operationId}_${part}`
  return part === 'body'
    ? bounded(compiled('bodies')[name] as Validator, () => compiled('first-errors')[name] as Validator)
    : decimal(compiled('parameters')[name] as Validator, schema as ReturnType<typeof requestSchemas>['params'])
}

/** With integers in decimal: Ajv, which coerces its input, takes `0x10` and `1e1` for numbers, and rounds long ones. */
function decimal (validate: Validator, { integers }: { integers: string[] }): Validator {
  const validator: Validator = (parameters) => {
    const texts = parameters as Record<string, unknown>
    const wrong = integers.filter((name) => typeof texts[name] === 'string' && !/^-?\d{1,15}$/.test(texts[name]))
    const valid = validate(parameters)
    validator.errors = [
      ...wrong.map((name) => ({
        instancePath: `/${name}`,
        schemaPath: '',
        keyword: 'type',
        params: { type: 'integer' },
        message: 'must be integer'
      })),
      ...validate.errors ?? []
    ]
    return valid && wrong.length === 0
  }
  return validator
}

/**
 * A validator whose time grows with the value, however many errors it has: of a large one it reports what is wrong at
 * the beginnings of its arrays, or else one error.
 *
 * @param first makes the validator that ends with the first error; seldom needed
 */
function bounded (all: Validator, first: () => Validator): Validator {
  const validator: Validator = (value) => {
    const isSmall = sizeOf(value, LARGE) < LARGE
    const validate = isSmall ? all : first()
    const valid = validate(value)
    validator.errors = validate.errors
    if (valid || isSmall) return valid
    const sample = sampleOf(value)
    if (sizeOf(sample, LARGE) < LARGE && !all(sample)) validator.errors = all.errors
    return false
  }
  return validator
}

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
