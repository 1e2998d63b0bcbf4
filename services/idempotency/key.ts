import { createHash, randomBytes } from 'node:crypto'
import { isObject } from '../resources/json.js'

/** The key a caller chose, out of the header: bare, or a string as RFC 8941 has it. Both name the same key. */
export const keyFromHeader = (header: string): string =>
  header.startsWith('"') ? header.slice(1, -1).replace(/\\(["\\])/g, '$1') : header

const hash = (...parts: string[]) => createHash('sha256').update(JSON.stringify(parts)).digest('hex')

/**
 * Where a key is kept in the state: it belongs to its client and to the account as Spot knows it, whatever the
 * configuration calls it. The key itself is stored nowhere.
 */
export const storageKeyOf = (client: string, identity: string, key: string): string => hash(client, identity, key)

/** What a request asks for, whatever the order of the names in its body. */
export const fingerprintOf = (request: unknown): string => hash(JSON.stringify(request, inOrder))

/** 128 random bits in hexadecimal: nobody guesses it, and no two are the same. */
export const randomWord = (): string => randomBytes(16).toString('hex')

const inOrder = (_: string, value: unknown) =>
  isObject(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1))
    : value
