import { createHash, randomBytes } from 'node:crypto'

/** A fresh id: `prefix`, a hyphen and 8 hex digits, as in `sig-0f3ac1d2`. */
export function newId (prefix: string): string {
  return `${prefix}-${randomBytes(4).toString('hex')}`
}

/** An id that depends only on `origin`, with 8 or more hex digits. */
export function derivedId (prefix: string, origin: string, digits = 8): string {
  return `${prefix}-${createHash('sha256').update(origin).digest('hex').slice(0, digits)}`
}
