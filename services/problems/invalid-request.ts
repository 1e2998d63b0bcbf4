import { distinct } from './distinct.js'
import { Problem, type ProblemError } from './index.js'
import { fragmentOf, jsonPointer } from './pointer.js'

/** One error of a JSON Schema validator, as Ajv reports it. */
export interface ValidationFailure {
  instancePath: string
  keyword: string
  params: Record<string, unknown>
  message?: string
}

/** Errors that are listed at most: enough to work with, and a hostile body gets no long answer. */
const MOST_ERRORS = 20
const SPELT_OUT = 3

/** Failures that are looked at: 1 MiB of nonsense has some hundred thousand. */
const MOST_FAILURES = 1000

/** Messages that are clearer than Ajv's own. */
const messages: Record<string, (params: Record<string, unknown>) => string> = {
  required: () => 'is required',
  additionalProperties: () => 'is not known here',
  pattern: ({ pattern }) => String(pattern).startsWith('^(?:[A-Za-z0-9+/]{4})*')
    ? 'must be base64: Spot answers 200 to plain text and stores nothing'
    : `must match ${String(pattern)}`,
  format: ({ format }) => format === 'date' ? 'must be a date, YYYY-MM-DD' : `must be a ${String(format)}`
}

/**
 * The problem of a request that does not match the contract: what was expected, and where.
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

function errorOf ({ instancePath, keyword, params, message }: ValidationFailure, context: string): ProblemError {
  const name = params.missingProperty ?? params.additionalProperty
  const words = messages[keyword]?.(params) ?? message ?? 'is not valid'
  if (context !== 'body') return { parameter: String(name ?? instancePath.slice(1)), code: keyword, message: words }
  const pointer = instancePath + jsonPointer(name === undefined ? [] : [String(name)])
  return { pointer: fragmentOf(pointer), code: keyword, message: words }
}
