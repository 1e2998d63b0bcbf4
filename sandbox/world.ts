import { Agenda } from './agenda.js'
import type { Group } from './elastigroups/group.js'
import type { ManagedInstance } from './managed-instances/managed-instance.js'
import type { Migration } from './managed-instances/migration.js'

/** Everything one account owns, and what is about to happen to it. */
export interface Account {
  id: string
  agenda: Agenda
  groups: Map<string, Group>
  /** In the order of their deletion. */
  deletedGroups: Group[]
  managedInstances: Map<string, ManagedInstance>
  migrations: Map<string, Migration>
}

/** The state of the sandbox: what every account owns. */
export class World {
  readonly #accounts = new Map<string, Account>()

  /** The account called `id`, empty when it was never asked for. */
  account (id: string): Account {
    let account = this.#accounts.get(id)
    if (account === undefined) {
      account = {
        id,
        agenda: new Agenda(),
        groups: new Map(),
        deletedGroups: [],
        managedInstances: new Map(),
        migrations: new Map()
      }
      this.#accounts.set(id, account)
    }
    return account
  }
}
