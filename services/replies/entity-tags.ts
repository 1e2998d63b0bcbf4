import { createHash } from 'node:crypto'

/** A strong entity tag: it changes with any character of the text. */
export const etagOf = (text: string): string => `"${createHash('sha1').update(text).digest('base64url')}"`

/** What a coding adds to the tag: the tag of what was compressed is another one. */
const CODING = /-(?:gzip|br)"$/

/** A tag as it is without a coding. A proxy that compresses makes it weak. */
const uncoded = (tag: string) => tag.trim().replace(/^W\//, '').replace(CODING, '"')

/**
 * Whether a list of tags, of If-Match or If-None-Match, names this one (https://www.rfc-editor.org/rfc/rfc9110#section-13).
 * Codings do not count, and weak tags are the same as strong ones: all of them stand for the same resource.
 */
export const namesTag = (list: string, etag: string): boolean =>
  list.trim() === '*' || list.split(',').some((tag) => uncoded(tag) === etag)
