import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import { parse } from 'yaml'
import { document, operationsOf, resolve } from '../openapi/document.js'
import { schemasForAjv } from '../openapi/nullable.js'
import type { Reply } from './helper.js'

/** Objects that require something are our own: nothing that is undocumented belongs there in a reply of this server. */
const schemas = Object.fromEntries(Object.entries(schemasForAjv()).map(([name, schema]) =>
  [name, 'required' in schema ? { additionalProperties: false, ...schema } : schema]))
const { enum: problemTypes } = schemas.ProblemType as { enum: string[] }

const ajv = addFormats.default(new Ajv({ strict: true, allErrors: true, keywords: ['components'] }))
  .addSchema({ $id: 'contract', components: { schemas } })

const operations = operationsOf(document)
const problem = { $ref: '#/components/schemas/Problem' }
const validators = new Map<string, ReturnType<typeof ajv.compile>>()

/** Compiled once a schema: every reply in every test is checked. */
function validatorOf (schema: object) {
  const key = JSON.stringify(schema)
  const validator = validators.get(key) ??
    ajv.compile(JSON.parse(key.replaceAll('"#/components/', '"contract#/components/')))
  validators.set(key, validator)
  return validator
}

/** The documented path a request is for: of several that fit, that with the most fixed words (OpenAPI 3.0.3, 4.7.8). */
function pathOf (target: string): string | undefined {
  const pathname = target.split(/[?#]/, 1)[0] as string
  const words = pathname.split('/').map((word) => {
    try {
      return decodeURIComponent(word)
    } catch {
      return word
    }
  })
  const variables = (path: string) => path.split('{').length
  return Object.keys(document.paths)
    .filter((path) => {
      const parts = path.split('/')
      return parts.length === words.length &&
        parts.every((part, index) => part.startsWith('{') || part === words[index])
    })
    .toSorted((a, b) => variables(a) - variables(b))[0]
}

const operationOf = (method: string, target: string) => {
  const path = pathOf(target)
  return operations.find((operation) => operation.method === method.toLowerCase() && operation.path === path)?.operation
}

/** Operations and statuses that were seen, so that a test can ask for those that were not. */
export const seen = new Set<string>()

/**
 * What is not as documented about a reply: status, media type, headers, body. Paths without an operation, methods that
 * are not there and what no route ever sees answer a problem.
 */
export function faultsOfReply (method: string, path: string, { status, headers, text, json }: Reply): string[] {
  if (path.startsWith('/v1/spot/docs')) return []
  const mediaType = headers['content-type']?.split(';', 1)[0]
  const operation = operationOf(method === 'HEAD' ? 'GET' : method, path)
  seen.add(`${operation?.operationId} ${status}`)
  const documented = operation?.responses[status]
  const beforeAnyRoute = [408, 431].includes(status)
  if (!operation && status === 303) return text === '' ? [] : ['a redirection has no body']
  if (!documented && !beforeAnyRoute && !(!operation && [400, 404, 405, 414].includes(status))) {
    return [`${operation?.operationId} documents no ${status}`]
  }

  const { content, headers: named } = documented ? resolve(documented) : { content: undefined, headers: {} }
  const faults = Object.entries(named ?? {})
    .filter(([name, header]) => resolve(header).required && headers[name.toLowerCase()] === undefined)
    .map(([name]) => `the header ${name} is missing`)
  const expected = documented ? content : { 'application/problem+json': { schema: problem } }
  if (!expected) return text === '' ? faults : [...faults, `a ${status} has no body`]
  const media = expected[mediaType ?? '']
  if (!media) return [...faults, `${mediaType} is not ${Object.keys(expected).join(' or ')}`]
  if (method === 'HEAD') return faults
  if (mediaType === 'application/problem+json' && !json.hint) faults.push('it has no hint')
  const validate = validatorOf(media.schema)
  const body = json ?? (mediaType === 'application/yaml' ? parse(text) : text)
  if (!validate(body)) faults.push(ajv.errorsText(validate.errors))
  return mediaType === 'application/problem+json' ? [...faults, ...faultsOfType(body, status)] : faults
}

/** What is not as documented about type and status of a problem: a newer server may have other types, not this one. */
const faultsOfType = (problem: { type: string, status: number }, status: number) => [
  ...problemTypes.includes(problem.type) ? [] : [`${problem.type} is no documented type`],
  ...problem.status === status ? [] : ['the problem has another status']
]

/** What is not as documented about a reply to something that may have been no request at all. */
export function faultsOfProblem ({ status, headers, text, json }: Reply): string[] {
  const mediaType = headers['content-type']
  if (mediaType !== 'application/problem+json') return [`${mediaType} is no problem: ${text.slice(0, 200)}`]
  const validate = validatorOf(problem)
  const faults = validate(json) ? faultsOfType(json, status) : [ajv.errorsText(validate.errors)]
  if (json.requestId !== headers['x-request-id']) faults.push('X-Request-Id is another')
  return faults
}
