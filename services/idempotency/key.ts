import { createHash } from 'node:crypto'

/** The word a caller chose, out of the header: bare, or a string as RFC 8941 has it. Both name the same key. */
export const wordOf = (header: string): string =>
  header.startsWith('"') ? header.slice(1, -1).replace(/\\(["\\])/g, '$1') : header

const hash = (...parts: string[]) => createHash('sha256').update(JSON.stringify(parts)).digest('hex')

/** Where a key is remembered: of this caller, in this account. The key itself is kept nowhere. */
export const placeOf = (caller: string, account: string, word: string): string => hash(caller, account, word)

/** What marks a resource that was created with the key remembered there: the value of a tag. */
export const markerOf = (place: string): string => place.slice(0, 32)

/** What a request asks for, whatever the order of the keys in its body. */
export const fingerprintOf = (request: unknown): string => hash(JSON.stringify(request, inOrder))

const inOrder = (_: string, value: unknown) =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1))
    : value
