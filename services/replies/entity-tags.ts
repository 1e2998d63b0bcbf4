import { createHash } from 'node:crypto'
import { CODINGS, type Coding } from './compressed.js'

/** A strong entity tag: it changes with any character of the text. */
export const etagOf = (text: string | Buffer): string => `"${createHash('sha1').update(text).digest('base64url')}"`

/** The tag of what was compressed: other bytes have another tag. */
export const withCoding = (etag: string, coding: Coding): string => etag.replace(/"$/, `-${coding}"`)

const suffix = new RegExp(`-(?:${CODINGS.join('|')})(?="\\s*(?:,|$))`, 'g')

/** A list of tags without their codings. */
export const withoutCodings = (list: string): string => list.replace(suffix, '')

/** The coding in which the caller has what the tag stands for, by the list of tags that it sent. */
export const codingKnown = (list: string, etag: string): Coding | undefined =>
  CODINGS.find((coding) => list.includes(withCoding(etag, coding)))

/**
 * Whether a list of tags, of If-Match or If-None-Match, names this one (https://www.rfc-editor.org/rfc/rfc9110#section-13).
 * Codings do not count, and weak tags are the same as strong ones, as a proxy that compresses makes them: all of them
 * stand for the same resource.
 */
export const namesTag = (list: string, etag: string): boolean =>
  list.trim() === '*' || withoutCodings(list).split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag)
