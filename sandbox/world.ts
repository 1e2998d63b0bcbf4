import { Agenda } from './agenda.js'
import type { Group } from './elastigroups/model.js'
import type { ManagedInstance } from './managed-instances/model.js'
import type { Migration } from './migrations/model.js'
import type { StatefulImport } from './stateful-imports/model.js'

/** Everything one account owns, and what is scheduled for it. */
export interface Account {
  id: string
  agenda: Agenda
  groups: Map<string, Group>
  /** In the order of their deletion. */
  deletedGroups: Group[]
  managedInstances: Map<string, ManagedInstance>
  migrations: Map<string, Migration>
  statefulImports: Map<string, StatefulImport>
}

/** The state of the sandbox: what every account owns. */
export class World {
  readonly #accounts = new Map<string, Account>()

  /** All accounts that something was asked of. */
  accounts (): Account[] {
    return [...this.#accounts.values()]
  }

  /** Has these accounts and no others from now on. */
  replace (accounts: Account[]): void {
    this.#accounts.clear()
    for (const account of accounts) this.#accounts.set(account.id, account)
  }

  /** The account called `id`; a new one is empty. */
  account (id: string): Account {
    let account = this.#accounts.get(id)
    if (account === undefined) {
      account = {
        id,
        agenda: new Agenda(),
        groups: new Map(),
        deletedGroups: [],
        managedInstances: new Map(),
        migrations: new Map(),
        statefulImports: new Map()
      }
      this.#accounts.set(id, account)
    }
    return account
  }
}
