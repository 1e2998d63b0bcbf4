import type { ErrorObject } from 'ajv'
import type { ConfigurationFault } from './error.js'
import { distinct } from '../problems/distinct.js'
import { jsonPointer } from '../problems/pointer.js'
import { RESERVED_NAMES } from './settings.js'

/** What the validator of the schema found, in words for the operator. */
export function faultsOf (errors: ErrorObject[]): ConfigurationFault[] {
  const other = ({ instancePath, params }: ErrorObject) => instancePath === '' && params.missingProperty === 'clients'
  const own = errors.filter((error) => !['propertyNames', 'anyOf'].includes(error.keyword) && !other(error))
  const faults = own.map((error) => {
    const { instancePath, keyword, params, propertyName } = error
    const at = (name: string) => instancePath + jsonPointer([name])
    if (propertyName !== undefined) {
      if (/\/guardrails\/tags$/.test(instancePath)) {
        return { pointer: at(propertyName), message: 'must have 1 to 128 characters and not begin with aws:' }
      }
      const message = keyword === 'not'
        ? `is a reserved name (${RESERVED_NAMES.join(', ')})`
        : 'must be a name of letters, digits, _ and -, beginning with a letter or digit'
      return { pointer: at(propertyName), message }
    }
    if (keyword === 'required') return { pointer: at(params.missingProperty), message: 'is required' }
    if (keyword === 'additionalProperties') {
      return { pointer: at(params.additionalProperty), message: 'is not a setting' }
    }
    return { pointer: instancePath, message: messageOf(error) }
  })
  // Where one of several schemas must match, each of them reports the same fault.
  return distinct(faults)
}

function messageOf ({ instancePath, keyword, params, message }: ErrorObject): string {
  if (/\/token$|^\/state\/redis$|^\/clients\/\d+\/key/.test(instancePath)) {
    return 'must be a string, {"env": "NAME"} or {"file": "path"}'
  }
  if (instancePath === '/state' && keyword === 'maxProperties') return 'must have a directory or a redis, not both'
  if (instancePath === '/audit') return 'must be "stdout" or {"file": "path"}'
  if (keyword === 'enum') return `must be one of ${params.allowedValues.join(', ')}`
  return message ?? 'is not valid'
}
