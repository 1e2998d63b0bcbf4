import { isDeepStrictEqual } from 'node:util'
import { Budget, organizationsOf, type Organization } from '../budget/index.js'
import { Problem } from '../problems.js'
import type { Memory, Scope } from '../reads/memory.js'
import type { SpotAccount } from './call.js'
import { capacity } from './capacity.js'
import type { Client } from './client.js'
import { elastigroups } from './elastigroups.js'
import { imports } from './imports.js'
import { managedInstances } from './managed-instances.js'
import { rolls } from './rolls.js'
import { spotOf, type Shared, type Spot, type Terms } from './spot.js'
import { statefulInstances } from './stateful-instances.js'
import { createTransport, type Deadlines, type Enter, type Observe, type Transport } from './transport.js'

export { DryRun } from './dry-run.js'
export { SpotError } from './error.js'
export type { Deadlines, Observe } from './transport.js'

export interface AccountSettings extends SpotAccount {
  /** VPC of managed instances that name none. */
  defaultVPC?: string | undefined
}

/** A configured account as one request sees it: what it is like, and what Spot can do in it, by noun. */
export class Account {
  readonly name: string
  readonly defaultVPC: string | undefined
  readonly #spot: Spot
  /** When the request must be over, by `performance.now()`. */
  readonly deadline: number

  constructor (name: string, { defaultVPC }: AccountSettings, shared: Shared, terms: Terms) {
    this.name = name
    this.defaultVPC = defaultVPC
    this.deadline = terms.deadline
    this.#spot = spotOf(shared, terms)
  }

  get capacity () { return capacity(this.#spot) }
  get elastigroups () { return elastigroups(this.#spot) }
  get imports () { return imports(this.#spot) }
  get managedInstances () { return managedInstances(this.#spot) }
  get rolls () { return rolls(this.#spot) }
  get statefulInstances () { return statefulInstances(this.#spot) }
}

/** The configured accounts by name. */
export interface Spotinst {
  /**
   * An account, for one request: its time runs from here.
   *
   * @throws {Problem} account-not-found
   */
  account (name: string, terms: RequestTerms): Account
  /** Takes other accounts from now on. Requests under way go on with what they have. */
  use (settings: Record<string, AccountSettings>): void
  /** What is held back of each account. */
  heldBack (): [account: string, held: ReturnType<Transport['heldBack']>][]
  close (): void
}

export interface RequestTerms extends Omit<Terms, 'deadline'> {
  /** When it must be over at the latest, by `performance.now()`. */
  deadline?: number
  /** Whether it may write: then it has more time. */
  kind: keyof Deadlines
}

export interface SpotinstOptions {
  version: string
  /** Told of every upstream attempt once it ended, with the name of its account. */
  observe: (account: string, call: Parameters<Observe>[0]) => void
  within: Deadlines
  memory: Memory
  /** Forgets what a write touched. */
  forget: (scope: Scope) => Promise<void>
  /** Passes the calls that Spot's rate limit has room for. */
  budget?: Budget
}

export function spotinst (
  settings: Record<string, AccountSettings>,
  { version, observe, within, memory, forget, budget = new Budget() }: SpotinstOptions
): Spotinst & { /** Brings the HTTP client before the first call needs it. */ warmUp (): Promise<unknown> } {
  let client: Promise<Client> | undefined
  // Half of the time that a start takes would go into loading it.
  const load = () => {
    client ??= import('./client.js').then(({ createClient }) => createClient(version))
    return client
  }

  let accounts = new Map<string, Shared & { account: AccountSettings, organization: Organization }>()

  function use (settings: Record<string, AccountSettings>) {
    const organizations = organizationsOf(settings)
    accounts = new Map(Object.entries(settings).map(([name, account]) => {
      const organization = organizations.get(name) as Organization
      const before = accounts.get(name)
      const same = before && isDeepStrictEqual([before.account, before.organization], [account, organization])
      if (same) return [name, before] // its breaker goes on as it is
      const enter: Enter = ({ operation, method }, until) => budget.enter({ organization, operation, method }, until)
      const transport = createTransport(account, load, enter, (call) => observe(name, call), within)
      const identity = `${account.endpoint ?? ''} ${account.id}`
      return [name, { account, organization, transport, memory, forget, identity }]
    }))
  }

  use(settings)
  return {
    use,
    account (name, { kind, deadline: latest = Infinity, ...terms }) {
      const known = accounts.get(name)
      const deadline = Math.min(latest, performance.now() + within[kind])
      if (known) return new Account(name, known.account, known, { ...terms, deadline })
      throw new Problem('account-not-found', {
        detail: `No account ${JSON.stringify(name)} is configured on this server.`,
        hint: 'Account names are set by the operator and are case-sensitive.'
      })
    },
    heldBack: () => [...accounts].map(([name, { transport }]) => [name, transport.heldBack()]),
    warmUp: load,
    close () {
      budget.close()
      client?.then((client) => client.close(), () => {})
    }
  }
}
