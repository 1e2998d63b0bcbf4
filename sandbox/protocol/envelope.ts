import { STATUS_CODES } from 'node:http'
import { randomUUID } from 'node:crypto'
import type { ErrorEntry } from './errors.js'

/** What the envelope repeats of the call. `url` is the path as received, without the query. */
export interface Asked {
  method: string
  path: string
  /** Milliseconds since the epoch. */
  at: number
}

/** A reply before it meets the wire. */
export interface Reply {
  status: number
  contentType: string
  text: string
}

/** What an operation found: items, items with something beside them, or nothing when it is an action. */
export type Found = object[] | { items: object[], beside: object } | undefined

/** 200 with items, their kind and their number; without items (an action) with the status and the kind, if any. */
export function success (asked: Asked, kind: string | undefined, found: Found): Reply {
  if (found === undefined) return envelope(asked, 200, 'OK', { kind })
  const { items, beside } = Array.isArray(found) ? { items: found, beside: {} } : found
  return envelope(asked, 200, 'OK', { kind, items, count: items.length, ...beside })
}

/** A refusal as the vendor writes it: never 200, one entry for everything that is wrong. */
export function failure (asked: Asked, status: number, errors: ErrorEntry[]): Reply {
  return envelope(asked, status, STATUS_CODES[status] ?? 'Error', { errors })
}

/**
 * 429 with the vendor's odd body: `response.data` and no `errors`.
 * Source: help.spot.io, API rate limits (ADM-0002).
 */
export function limitExceeded (asked: Asked): Reply {
  return envelope(asked, 429, 'Too Many Requests', { data: 'Rate limit exceeded' })
}

/** 400 in plain text: what a body that is no JSON gets (seen by the vendor's Python client). */
export function unreadable (): Reply {
  return { status: 400, contentType: 'text/plain; charset=utf-8', text: 'Bad Request' }
}

function envelope (asked: Asked, code: number, message: string, rest: object): Reply {
  const request = {
    id: randomUUID(),
    url: asked.path,
    method: asked.method,
    timestamp: new Date(asked.at).toISOString()
  }
  const response = { status: { code, message }, ...rest }
  return { status: code, contentType: 'application/json; charset=utf-8', text: JSON.stringify({ request, response }) }
}
