import type { OperationId } from '../../openapi/document.js'
import type { Need, OperationRow } from '../../openapi/operations.js'
import { pathOf } from '../../openapi/paths.js'
import type { components } from '../../openapi/types.js'
import type { Guardrails } from '../guardrails/index.js'
import { Problem } from '../problems/index.js'

type Schemas = components['schemas']

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

/** Why a client may not do something. A label of the metrics, so the set is closed. */
export type Denial = 'account' | 'access' | 'delete'

/** Where a body may ask to end what is there, and what it has to say instead. */
interface Ending { pointer: string, instead: string }

const unless = (ends: boolean, pointer: string, instead = 'must be false'): Ending | undefined =>
  ends ? { pointer, instead } : undefined

/** States of managed instances that end none. Spot documents no others, but takes some. */
const HARMLESS = ['PAUSE', 'RESUME']

/** Operations whose body can ask to end what is there. Spot documents no defaults here, so only `false` keeps it. */
const endings = {
  detachInstances: ({ shouldTerminateInstances }: Schemas['Detachment']) =>
    unless(shouldTerminateInstances !== false, '#/shouldTerminateInstances'),
  createImport: ({ shouldTerminateInstance }: Schemas['InstanceImportCreate']) =>
    unless(shouldTerminateInstance !== false, '#/shouldTerminateInstance'),
  updateInstanceStates (entries: Schemas['InstanceStates']) {
    const index = entries.findIndex(({ state }) => !HARMLESS.includes(state))
    return unless(index >= 0, `#/${index}/state`, `must be ${HARMLESS.join(' or ')}`)
  }
} as Partial<Record<OperationId, (body: unknown) => Ending | undefined>>

/** Where the valid body of a write may end what is there, so that it needs the right to delete. */
export const endingOf = ({ operationId }: OperationRow, body: unknown): Ending | undefined =>
  endings[operationId]?.(body)

export const mayUse = ({ accounts }: Client, account: string): boolean =>
  accounts.includes('*') || accounts.includes(account)

/** @returns what a client lacks for a right in an account, or undefined */
export function denialOf (client: Client, account: string | undefined, need: Need): Denial | undefined {
  if (account !== undefined && !mayUse(client, account)) return 'account'
  if (need !== 'read' && client.access === 'read') return 'access'
  if (need === 'delete' && !client.allowDelete) return 'delete'
}

/**
 * The problem for a client. It does not say whether an account that it may not use exists.
 *
 * @param ending where its body asks for what needs the right to delete
 */
export function forbidden (
  { name }: Client, denial: Denial, account: string | undefined, ending?: Ending
): Problem {
  const hint = `GET ${pathOf('whoami', {})} shows what it may do. ` +
    'The operator sets it under "clients" in the configuration.'
  const details: Record<Denial, string> = {
    account: `The client ${name} has no access to an account ${JSON.stringify(account)}.`,
    access: `The client ${name} may only read, and this needs the access "write".`,
    delete: `The client ${name} may not delete: it needs "allowDelete", or the access "admin".`
  }
  return new Problem('forbidden', {
    detail: details[denial],
    hint: denial === 'delete' && ending ? `Without that right, ${ending.pointer} ${ending.instead}. ${hint}` : hint,
    ...denial === 'delete' && ending && {
      errors: [{ pointer: ending.pointer, code: 'delete', message: `${ending.instead}, unless it may delete` }]
    }
  })
}
