import type { ErrorObject } from 'ajv'
import type { ConfigurationFault } from './error.js'
import { jsonPointer } from '../problems/pointer.js'
import { INSTANCE_TYPES, REGION, TAG } from '../guardrails/schema.js'
import { name } from './setting.js'
import { RESERVED_NAMES } from './settings.js'

const NAME = 'must be a name of letters, digits, _ and -, beginning with a letter or digit'

/** What the validator of the schema found, in words for the operator. */
export function faultsOf (errors: ErrorObject[]): ConfigurationFault[] {
  // Without a token and without clients, both are reported as missing: the token is enough.
  const isOfClients = ({ instancePath, params }: ErrorObject) =>
    instancePath === '' && params.missingProperty === 'clients'
  const shown = errors.filter((error) => !['propertyNames', 'anyOf'].includes(error.keyword) && !isOfClients(error))
  return shown.map((error) => {
    const { instancePath, keyword, params, propertyName } = error
    const at = (name: string) => instancePath + jsonPointer([name])
    if (propertyName !== undefined) {
      if (/\/guardrails\/tags$/.test(instancePath)) {
        return { pointer: at(propertyName), message: 'must have 1 to 128 characters and not begin with aws:' }
      }
      const message = keyword === 'not'
        ? `is a reserved name (${RESERVED_NAMES.join(', ')})`
        : NAME
      return { pointer: at(propertyName), message }
    }
    if (keyword === 'required') return { pointer: at(params.missingProperty), message: 'is required' }
    if (keyword === 'additionalProperties') {
      return { pointer: at(params.additionalProperty), message: 'is not a setting' }
    }
    return { pointer: instancePath, message: messageOf(error) }
  })
}

const types: Record<string, string> = {
  object: 'an object',
  array: 'a list',
  string: 'a string',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false'
}

const patterns: Record<string, string> = {
  [name.pattern]: NAME,
  [REGION]: 'must be an AWS region, such as us-east-1',
  [INSTANCE_TYPES]: 'must be an instance type, or a pattern such as t3.*',
  [TAG]: 'must be key, or key=value'
}

/** What each keyword of the schema asks for. */
const words: Record<string, (params: ErrorObject['params']) => string> = {
  type: ({ type }) => `must be ${[type].flat().map((one) => types[one]).join(' or ')}`,
  enum: ({ allowedValues }) => `must be one of ${allowedValues.join(', ')}`,
  pattern: ({ pattern }) => patterns[pattern] ?? `must match ${pattern}`,
  minimum: ({ limit }) => `must be at least ${limit}`,
  maximum: ({ limit }) => `must be at most ${limit}`,
  exclusiveMinimum: ({ limit }) => `must be more than ${limit}`,
  minLength: () => 'must not be empty',
  maxLength: ({ limit }) => `must have at most ${limit} characters`,
  minItems: () => 'must not be empty',
  maxItems: ({ limit }) => `must have at most ${limit} elements`,
  uniqueItems: ({ i, j }) => `must not have the same element twice (${j} and ${i})`,
  minProperties: () => 'must not be empty'
}

function messageOf ({ instancePath, keyword, params, message }: ErrorObject): string {
  if (/\/token$|^\/state\/redis$|^\/clients\/\d+\/key(\/\d)?$/.test(instancePath) && !keyword.endsWith('Items')) {
    return 'must be a string, {"env": "NAME"} or {"file": "path"}'
  }
  if (instancePath === '/state' && keyword === 'maxProperties') return 'must have a directory or a redis, not both'
  if (instancePath === '/audit') return 'must be "stdout" or {"file": "path"}'
  return words[keyword]?.(params) ?? message ?? 'is not valid'
}
