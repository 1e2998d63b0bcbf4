import { DEFAULT_CLIENT, type Access, type Client } from '../access/clients.js'
import type { Guardrails } from '../guardrails/index.js'
import type { Secret } from './secrets.js'

export interface ClientInFile {
  name: string
  /** Two while one takes the place of the other. */
  key: Secret | Secret[]
  accounts: string[]
  access: Access
  /** A day (from its beginning on, UTC) or a moment from which on the keys are refused. */
  expires?: string
  /** Unless set, only the access `admin` may delete. */
  allowDelete?: boolean
  guardrails?: Guardrails
}

/** What is needed to read clients: each tells of a fault by the pointer. */
export interface Reading {
  accounts: string[]
  /** @returns a sound key; a text of no use where it is none, and that was told */
  key (pointer: string, secret: Secret): string
  fault (pointer: string, message: string): void
}

/** The clients of a file: that of the one `token`, with all rights, and those that have names. */
export function clientsOf (
  { token, clients = [] }: { token?: Secret, clients?: ClientInFile[] }, { accounts, key, fault }: Reading
): Client[] {
  const all = token === undefined ? [] : [owner(key('/token', token))]
  clients.forEach((client, index) => {
    const pointer = `/clients/${index}`
    const { name, access, allowDelete = access === 'admin', expires, guardrails } = client
    if (all.some((other) => other.name === name)) fault(`${pointer}/name`, 'is the name of another client')
    client.accounts.forEach((account, at) => {
      const known = account === '*' || accounts.includes(account)
      if (!known) fault(`${pointer}/accounts/${at}`, 'is no account of this file')
    })
    const keys = Array.isArray(client.key)
      ? client.key.map((one, at) => key(`${pointer}/key/${at}`, one))
      : [key(`${pointer}/key`, client.key)]
    const moment = expires === undefined ? undefined : Date.parse(expires)
    if (Number.isNaN(moment) || (expires && !/^\d{4}-\d\d-\d\d(T.+(Z|[+-]\d\d:\d\d))?$/.test(expires))) {
      fault(`${pointer}/expires`, 'must be a day (2027-06-30) or a moment (2027-06-30T12:00:00Z)')
    }
    const taken = new Set(all.flatMap((other) => other.keys))
    if (keys.some((one, at) => one !== '' && (taken.has(one) || keys.indexOf(one) !== at))) {
      fault(`${pointer}/key`, 'is there twice: it would not tell whose it is')
    }
    all.push({ name, keys, accounts: client.accounts, access, allowDelete, expires: moment, guardrails })
  })
  return all
}

/** Whoever has the one key of a file without clients. */
export const owner = (key: string): Client =>
  ({ name: DEFAULT_CLIENT, keys: [key], accounts: ['*'], access: 'admin', allowDelete: true })
