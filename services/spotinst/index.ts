import { Budget, organizationsOf, type Organization } from '../budget/index.js'
import { Problem } from '../problems.js'
import type { SpotAccount } from './call.js'
import { capacity } from './capacity.js'
import type { Client } from './client.js'
import { elastigroups } from './elastigroups.js'
import { imports } from './imports.js'
import { managedInstances } from './managed-instances.js'
import { rolls } from './rolls.js'
import { spotOf } from './spot.js'
import { statefulInstances } from './stateful-instances.js'
import { createTransport, type Deadlines, type Enter, type Observe, type Transport } from './transport.js'

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
  readonly #transport: Transport
  /** When the request must be over, by `performance.now()`. */
  readonly deadline: number

  constructor (name: string, { defaultVPC }: AccountSettings, transport: Transport, deadline: number) {
    this.name = name
    this.defaultVPC = defaultVPC
    this.#transport = transport
    this.deadline = deadline
  }

  get capacity () { return capacity(this.#spot) }
  get elastigroups () { return elastigroups(this.#spot) }
  get imports () { return imports(this.#spot) }
  get managedInstances () { return managedInstances(this.#spot) }
  get rolls () { return rolls(this.#spot) }
  get statefulInstances () { return statefulInstances(this.#spot) }

  get #spot () { return spotOf(this.#transport, this.deadline) }
}

/** The configured accounts by name. */
export interface Spotinst {
  /**
   * An account, for one request: its time runs from here.
   *
   * @throws {Problem} account-not-found
   */
  account (name: string, kind: keyof Deadlines): Account
  /** What is held back of each account. */
  heldBack (): [account: string, held: ReturnType<Transport['heldBack']>][]
  close (): void
}

export interface SpotinstOptions {
  version: string
  /** Told of every upstream attempt once it ended, with the name of its account. */
  observe: (account: string, call: Parameters<Observe>[0]) => void
  within: Deadlines
  /** Passes the calls that Spot's rate limit has room for. */
  budget?: Budget
}

export function spotinst (
  settings: Record<string, AccountSettings>,
  { version, observe, within, budget = new Budget() }: SpotinstOptions
): Spotinst & { /** Brings the HTTP client before the first call needs it. */ warmUp (): Promise<unknown> } {
  let client: Promise<Client> | undefined
  // Half of the time that a start takes would go into loading it.
  const load = () => {
    client ??= import('./client.js').then(({ createClient }) => createClient(version))
    return client
  }

  const organizations = organizationsOf(settings)
  const accounts = new Map(Object.entries(settings).map(([name, account]) => {
    const organization = organizations.get(name) as Organization
    const enter: Enter = ({ operation, method }, until) => budget.enter({ organization, operation, method }, until)
    const transport = createTransport(account, load, enter, (call) => observe(name, call), within)
    return [name, { account, transport }]
  }))

  return {
    account (name, kind) {
      const known = accounts.get(name)
      if (known) return new Account(name, known.account, known.transport, performance.now() + within[kind])
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
