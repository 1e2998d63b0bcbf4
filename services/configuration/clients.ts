import { DEFAULT_CLIENT, type Client } from '../access/clients.js'
import { momentOf } from '../resources/moments.js'
import type { Settings } from './configuration.js'
import type { Secret } from './secrets.js'

/** What reading clients takes. */
export interface Reading {
  /** Names; undefined where nobody can tell which there are. */
  accounts: string[] | undefined
  /** @returns a usable key, or '' after the fault was reported */
  key (pointer: string, secret: Secret): string
  fault (pointer: string, message: string): void
}

/** The client of the one `token`, which may do everything, and those with names. */
export function clientsOf ({ token, clients }: Settings, { accounts, key, fault }: Reading): Client[] {
  const all = token === undefined ? [] : [owner(key('/token', token))]
  clients.forEach((client, index) => {
    const pointer = `/clients/${index}`
    const { name, access, allowDelete = access === 'admin', expires, guardrails, accounts: own = [] } = client
    if (all.some((other) => other.name === name)) fault(`${pointer}/name`, 'is the name of another client')
    own.forEach((account, at) => {
      const known = account === '*' || !accounts || accounts.includes(account)
      if (!known) fault(`${pointer}/accounts/${at}`, 'is not an account in this file')
    })
    const keys = Array.isArray(client.key)
      ? client.key.map((one, at) => key(`${pointer}/key/${at}`, one))
      : [key(`${pointer}/key`, client.key)]
    const time = expires === undefined ? undefined : timeOf(expires)
    if (Number.isNaN(time)) {
      fault(`${pointer}/expires`, 'must be a date (2027-06-30) or a date-time (2027-06-30T12:00:00Z)')
    }
    const taken = new Set(all.flatMap((other) => other.keys))
    if (keys.some((one, at) => one !== '' && (taken.has(one) || keys.indexOf(one) !== at))) {
      fault(`${pointer}/key`, 'is used twice, so it would not identify a client')
    }
    all.push({ name, keys, accounts: own, access, allowDelete, expires: time, guardrails })
  })
  return all
}

/** Milliseconds since the epoch; NaN for what is no date or date-time with a time zone. */
function timeOf (expires: string): number {
  if (!/^\d{4}-\d\d-\d\d(T.+(Z|[+-]\d\d:\d\d))?$/.test(expires)) return NaN
  try {
    return momentOf(expires, 'expires').time
  } catch {
    return NaN
  }
}

/** The client of the one key of a file without clients. */
export const owner = (key: string): Client =>
  ({ name: DEFAULT_CLIENT, keys: [key], accounts: ['*'], access: 'admin', allowDelete: true })
