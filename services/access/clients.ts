import type { Guardrails } from '../guardrails/index.js'
import { Problem } from '../problems/index.js'

/** What a client may do: read, with secrets masked; create and change too; everything. */
export const ACCESSES = ['read', 'write', 'admin'] as const
export type Access = typeof ACCESSES[number]

/** A caller that proves to know one of its keys. */
export interface Client {
  name: string
  /** Two while one replaces the other. */
  keys: readonly string[]
  /** Names of accounts; `*` for all of them. */
  accounts: readonly string[]
  access: Access
  /** Whether it may delete. */
  allowDelete: boolean
  /** When its keys expire, in milliseconds since the epoch. */
  expires?: number | undefined
  /** Rules for its writes, beside those of the account. */
  guardrails?: Guardrails | undefined
}

/** The client of the setting `token`. */
export const DEFAULT_CLIENT = 'default'

/** What an operation needs. */
export type Need = 'read' | 'write' | 'delete'

/** Why a client may not do something. A label of the metrics, so the set is closed. */
export type Denial = 'account' | 'access' | 'delete'

/** Operations that end what is there, though they are no DELETE; and one that is, and ends nothing. */
const needs: Partial<Record<string, Need>> = { deallocateStatefulInstance: 'delete', deleteSuspensions: 'write' }

export const needOf = (operationId: string, method: string): Need =>
  needs[operationId] ?? (method === 'GET' ? 'read' : method === 'DELETE' ? 'delete' : 'write')

/** What the body of a write asks for on top of it: some can end what is there. */
export function needOfBody (operationId: string, body: unknown): Need {
  const { shouldTerminateInstances } = (body ?? {}) as { shouldTerminateInstances?: unknown }
  const ends = operationId === 'detachInstances'
    ? shouldTerminateInstances === true
    : operationId === 'updateInstanceStates' && Array.isArray(body) && body.some(({ state }) => /terminate/i.test(state))
  return ends ? 'delete' : 'write'
}

export const mayUse = ({ accounts }: Client, account: string): boolean =>
  accounts.includes('*') || accounts.includes(account)

/** @returns what a client lacks for a right in an account, or undefined */
export function denialOf (client: Client, account: string | undefined, need: Need): Denial | undefined {
  if (account !== undefined && !mayUse(client, account)) return 'account'
  if (need !== 'read' && client.access === 'read') return 'access'
  if (need === 'delete' && !client.allowDelete) return 'delete'
}

/** The problem for a client. It does not say whether an account that it may not use exists. */
export function forbidden ({ name }: Client, denial: Denial, account: string | undefined): Problem {
  const details: Record<Denial, string> = {
    account: `The client ${name} has no access to an account ${JSON.stringify(account)}.`,
    access: `The client ${name} may only read, and this needs the access "write".`,
    delete: `The client ${name} may not delete: it needs "allowDelete", or the access "admin".`
  }
  return new Problem('forbidden', {
    detail: details[denial],
    hint: 'GET /v1/spot/whoami shows what it may do. The operator sets it under "clients" in the configuration.'
  })
}
