import type { Fault } from '../faults/model.js'
import { check, InvalidJson } from './check.js'

const text = { type: 'string' }
const milliseconds = { type: 'number', minimum: 0 }

const fault = {
  type: 'object',
  properties: {
    method: text,
    path: text,
    pathPattern: text,
    times: { type: 'integer', minimum: 1 },
    probability: { type: 'number', minimum: 0, maximum: 1 },
    latency: milliseconds,
    kind: {
      enum: [
        'status', 'reset', 'hang', 'garbage', 'truncated', 'stall', 'html', 'redirect', 'wrong-content-type'
      ]
    },
    status: { type: 'integer', minimum: 200, maximum: 599 },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        properties: { code: text, message: text, field: text },
        required: ['code', 'message'],
        additionalProperties: false
      }
    },
    body: {},
    headers: { type: 'object', additionalProperties: text },
    commit: { enum: ['none', 'first', 'late'] },
    lateBy: milliseconds
  },
  additionalProperties: false
}
const faults = { type: 'array', items: fault }

/**
 * Faults as they are ordered over HTTP: like `Fault`, with `pathPattern` in the place of a regular expression.
 * @throws InvalidJson
 */
export async function readFaults (value: unknown): Promise<Fault[]> {
  await check(faults, value)
  return (value as (Fault & { pathPattern?: string })[]).map(({ pathPattern, ...fault }, index) =>
    pathPattern === undefined ? fault : { ...fault, path: patternOf(pathPattern, `/${index}/pathPattern`) })
}

function patternOf (source: string, location: string): RegExp {
  try {
    return new RegExp(source)
  } catch {
    throw new InvalidJson(`${location} is not a regular expression`)
  }
}

/** The same for an answer. */
export function showFault ({ path, ...fault }: Fault): object {
  return { ...path instanceof RegExp ? { pathPattern: path.source } : path === undefined ? {} : { path }, ...fault }
}
