import type { ErrorObject } from 'ajv'
import type { ConfigurationFault } from './error.js'
import { RESERVED_NAMES } from './schema.js'

/** What the validator of the schema finds, in words for the operator. */
export function faultsOf (errors: ErrorObject[]): ConfigurationFault[] {
  const other = ({ instancePath, params }: ErrorObject) => instancePath === '' && params.missingProperty === 'clients'
  const told = errors.filter((error) => !['propertyNames', 'anyOf'].includes(error.keyword) && !other(error))
  const faults = told.map((error) => {
    const { instancePath, keyword, params, propertyName } = error
    // RFC 6901, section 3
    const at = (name: string) => `${instancePath}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
    if (propertyName !== undefined) {
      if (/\/guardrails\/tags$/.test(instancePath)) {
        return { pointer: at(propertyName), message: 'must have 1 to 128 characters, and not begin with aws:' }
      }
      const message = keyword === 'not'
        ? `is a name this server needs itself (${RESERVED_NAMES.join(', ')})`
        : 'must be a name of letters, digits, _ and -, beginning with a letter or digit'
      return { pointer: at(propertyName), message }
    }
    if (keyword === 'required') return { pointer: at(params.missingProperty), message: 'is required' }
    if (keyword === 'additionalProperties') {
      return { pointer: at(params.additionalProperty), message: 'is not a setting' }
    }
    return { pointer: instancePath, message: messageOf(error) }
  })
  // What may be the one or the other fails as both.
  return [...new Map(faults.map((fault) => [`${fault.pointer} ${fault.message}`, fault])).values()]
}

function messageOf ({ instancePath, keyword, params, message }: ErrorObject): string {
  if (/\/token$|^\/state\/redis$|^\/clients\/\d+\/key/.test(instancePath)) {
    return 'must be a text, {"env": "NAME"} or {"file": "path"}'
  }
  if (instancePath === '/state' && keyword === 'maxProperties') return 'must be a directory or a redis, not both'
  if (instancePath === '/audit') return 'must be "stdout" or {"file": "path"}'
  if (keyword === 'enum') return `must be one of ${params.allowedValues.join(', ')}`
  return message ?? 'is not valid'
}
