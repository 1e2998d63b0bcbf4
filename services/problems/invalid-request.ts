import { Problem, type ProblemError } from './index.js'

/** What a JSON Schema validator says of one thing that is wrong (Ajv's form). */
export interface ValidationFailure {
  instancePath: string
  keyword: string
  params: Record<string, unknown>
  message?: string
}

/** Errors that are listed at most: enough to work with, and a hostile body makes no long answer. */
const MOST_ERRORS = 20
const SPELT_OUT = 3

/** Failures that are looked at: 1 MiB of nonsense has some hundred thousand. */
const MOST_FAILURES = 1000

/** What a keyword's own message leaves open. */
const messages: Record<string, (params: Record<string, unknown>) => string> = {
  required: () => 'is required',
  additionalProperties: () => 'is not known here',
  pattern: ({ pattern }) => String(pattern).startsWith('^(?:[A-Za-z0-9+/]{4})*')
    ? 'must be base64: Spot answers 200 to plain text and stores nothing'
    : `must match ${String(pattern)}`,
  format: ({ format }) => format === 'date' ? 'must be a day, YYYY-MM-DD' : `must be a ${String(format)}`
}

/**
 * The problem of a request that does not match the contract: each place, and what was expected there.
 *
 * @param context 'body', 'params' or 'querystring'
 */
export function invalidRequest (failures: ValidationFailure[], context = 'body'): Problem {
  const looked = failures.slice(0, MOST_FAILURES)
  const errors = looked
    .filter(({ keyword }) => keyword !== 'anyOf' && keyword !== 'allOf')
    .map((failure) => errorOf(failure, context))
  const shown = distinct(errors.length > 0 ? errors : looked.map((failure) => errorOf(failure, context)))
  const spelt = shown.slice(0, SPELT_OUT).map(({ pointer, parameter, message }) => `${pointer ?? parameter} ${message}`)
  const more = shown.length > SPELT_OUT ? `, and ${shown.length - SPELT_OUT} more` : ''
  return new Problem('invalid-request', {
    detail: `${spelt.join('; ')}${more}.`,
    errors: shown.slice(0, MOST_ERRORS)
  })
}

/** A schema that is built of others finds the same fault once in each. */
const distinct = (errors: ProblemError[]) =>
  [...new Map(errors.map((error) => [JSON.stringify(error), error])).values()]

function errorOf ({ instancePath, keyword, params, message }: ValidationFailure, context: string): ProblemError {
  const name = params.missingProperty ?? params.additionalProperty
  const words = messages[keyword]?.(params) ?? message ?? 'is not valid'
  if (context !== 'body') return { parameter: String(name ?? instancePath.slice(1)), code: keyword, message: words }
  const path = name === undefined ? instancePath : `${instancePath}/${escape(String(name))}`
  // Half a surrogate pair is no URI.
  return { pointer: `#${encodeURI(Buffer.from(path).toString())}`, code: keyword, message: words }
}

/** A name as a token of a JSON pointer (RFC 6901). */
const escape = (name: string) => name.replaceAll('~', '~0').replaceAll('/', '~1')
