import { validateHeaderName, validateHeaderValue } from 'node:http'
import type { Fault } from '../faults/model.js'
import { check, InvalidJson } from './check.js'

const text = { type: 'string' }
/** Node's timers take no more. */
const milliseconds = { type: 'number', minimum: 0, maximum: 2 ** 31 - 1 }

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
  return (value as Ordered[]).map(({ pathPattern, ...fault }, index) => {
    checkHeaders(fault.headers, `/${index}/headers`)
    if (pathPattern === undefined) return fault
    if (fault.path !== undefined) throw new InvalidJson(`/${index} has path and pathPattern: leave one out`)
    return { ...fault, path: patternOf(pathPattern, `/${index}/pathPattern`) }
  })
}

type Ordered = Fault & { pathPattern?: string }

/** A header that Node refuses would leave the call without an answer. */
function checkHeaders (headers: Fault['headers'] = {}, location: string): void {
  try {
    for (const [name, value] of Object.entries(headers)) {
      validateHeaderName(name)
      validateHeaderValue(name, value)
    }
  } catch (error) {
    throw new InvalidJson(`${location}: ${(error as Error).message}`)
  }
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
