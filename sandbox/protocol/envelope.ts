import { STATUS_CODES } from 'node:http'
import { randomUUID } from 'node:crypto'
import type { ErrorEntry } from './errors.js'

/** What the envelope repeats of the call; its `url` is the path as received, without the query. */
export interface CallInfo {
  method: string
  path: string
  /** Milliseconds since the epoch. */
  at: number
}

/** A reply, ready to send. */
export interface Reply {
  status: number
  contentType: string
  text: string
}

/** What an operation returns: items, items with other keys beside them, or nothing for an action. */
export type Result = object[] | { items: object[], beside: object } | undefined

/** 200 with kind, items and count; for an action with the status and the kind, if any. */
export function success (call: CallInfo, kind: string | undefined, found: Result): Reply {
  if (found === undefined) return envelope(call, 200, 'OK', { kind })
  const { items, beside } = Array.isArray(found) ? { items: found, beside: {} } : found
  return envelope(call, 200, 'OK', { kind, items, count: items.length, ...beside })
}

/** An error in the vendor's envelope, with one entry for each thing that is wrong. */
export function failure (call: CallInfo, status: number, errors: ErrorEntry[]): Reply {
  return envelope(call, status, STATUS_CODES[status] ?? 'Error', { errors })
}

/**
 * 429 with the vendor's own body: `response.data` and no `errors`.
 * Source: help.spot.io, API rate limits (ADM-0002).
 */
export function limitExceeded (call: CallInfo): Reply {
  return envelope(call, 429, 'Too Many Requests', { data: 'Rate limit exceeded' })
}

/** 400 in plain text, for a body that is not JSON (seen by the vendor's Python client). */
export function unreadable (): Reply {
  return { status: 400, contentType: 'text/plain; charset=utf-8', text: 'Bad Request' }
}

function envelope (call: CallInfo, code: number, message: string, rest: object): Reply {
  const request = {
    id: randomUUID(),
    url: call.path,
    method: call.method,
    timestamp: new Date(call.at).toISOString()
  }
  const response = { status: { code, message }, ...rest }
  return { status: code, contentType: 'application/json; charset=utf-8', text: JSON.stringify({ request, response }) }
}
