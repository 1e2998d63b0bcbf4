import type { Upstream } from '../../problems/index.js'
import { isObject } from '../../resources/json.js'
import { parseLarge } from './large-json.js'

/** What Spot wraps every answer in: https://docs.spot.io/api/ */
export interface Envelope {
  request?: { id?: string }
  response: { items?: unknown, errors?: unknown, error?: unknown, data?: unknown }
  /** Characters it was written in. */
  size: number
}

/** Masks secrets in a text. */
export type Conceal = (text: string) => string

export const asItIs: Conceal = (text) => text

/** Characters from which on an answer takes longer to parse than others should wait for: some milliseconds. */
const LARGE = 512 * 1024

/**
 * Reads an answer of Spot.
 *
 * @param contentType its media type; anything but JSON is not read
 * @param text its body
 * @param conceal masks this server's own secrets: Spot may echo what it was sent
 * @returns the envelope, or undefined when it is none
 */
export async function openEnvelope (
  contentType: string | undefined, text: string, conceal: Conceal = asItIs
): Promise<Envelope | undefined> {
  if (!/^application\/([\w.-]+\+)?json\s*(;|$)/i.test(contentType ?? '')) return undefined
  try {
    const parse = (text: string): unknown => JSON.parse(conceal(text))
    const value = text.length < LARGE ? parse(text) : await parseLarge(text, undefined, parse)
    if (!isObject(value) || !isObject(value.response)) return undefined
    return { ...value as unknown as Envelope, size: text.length }
  } catch {
    return undefined
  }
}

/** Vendor text in a problem is cut here (characters): it is data of unknown size. */
const LONGEST_MESSAGE = 2000
const MOST_ERRORS = 50

/**
 * What Spot said went wrong, in one shape. Seen are `errors[]`, an `error` that is one string, and, when the rate limit
 * is used up, only `data`.
 */
export function upstreamOf (status: number, envelope: Envelope | undefined, conceal = asItIs): Upstream {
  // Once more: JSON may have hidden a secret behind escapes.
  const text = (value: unknown) => conceal(String(value)).slice(0, LONGEST_MESSAGE)
  if (!envelope) return { status }
  const { errors, error, data } = envelope.response
  const listed = Array.isArray(errors) ? errors.filter(isObject) : []
  const sole = [error, data].find((value) => typeof value === 'string')
  const found = listed.length > 0 || sole === undefined ? listed : [{ code: status, message: sole }]
  return {
    status,
    ...typeof envelope.request?.id === 'string' && { requestId: text(envelope.request.id) },
    ...found.length > 0 && {
      errors: found.slice(0, MOST_ERRORS).map(({ code, message, field }) => ({
        code: text(code ?? status),
        message: text(message ?? ''),
        ...typeof field === 'string' && { field: text(field) }
      }))
    }
  }
}
