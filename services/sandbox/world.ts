import { randomBytes } from 'node:crypto'
import type { JsonObject } from './json.js'

/** One instance over its life. Its identity is fixed when it is asked for and never changes. */
export interface Machine {
  instanceId: string
  /** Null when it is on demand. */
  spotInstanceRequestId: string | null
  instanceType: string
  availabilityZone: string
  privateIp: string
  publicIp: string
  /** Milliseconds since the epoch; it runs a while later, see machines.ts. */
  requestedAt: number
  /** Milliseconds since the epoch; undefined while it is wanted. */
  endedAt?: number
}

/** A group or a managed instance as the sandbox holds it. */
export interface Resource {
  id: string
  /** Milliseconds since the epoch, like `updatedAt`. */
  createdAt: number
  updatedAt: number
  /** What was sent, without the envelope; id and dates are kept beside it. */
  content: JsonObject
  /** Every machine it ever had, oldest first. The gone ones stay, as the costs count them. */
  machines: Machine[]
}

/** Everything one account owns. */
export interface Account {
  id: string
  groups: Map<string, Resource>
  managedInstances: Map<string, Resource>
}

/** The state of the sandbox: what every account owns. */
export class World {
  readonly #accounts = new Map<string, Account>()

  /** The account called `id`, empty when it was never asked for. */
  account (id: string): Account {
    let account = this.#accounts.get(id)
    if (account === undefined) {
      account = { id, groups: new Map(), managedInstances: new Map() }
      this.#accounts.set(id, account)
    }
    return account
  }
}

/** A fresh id: `prefix`, a hyphen and 8 hex digits, as in `sig-0f3ac1d2`. */
export function newId (prefix: string): string {
  return `${prefix}-${randomBytes(4).toString('hex')}`
}
