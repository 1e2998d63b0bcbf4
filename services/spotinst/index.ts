import { Problem } from '../problems.js'
import { capacity } from './capacity.js'
import { elastigroups } from './elastigroups.js'
import { imports } from './imports.js'
import { managedInstances } from './managed-instances.js'
import { rolls } from './rolls.js'
import { spotOf, type Spot } from './spot.js'
import { statefulInstances } from './stateful-instances.js'
import type { Observe, SpotAccount, Transport } from './transport.js'

export { SpotError } from './error.js'
export { createTransport, type Deadlines, type Observe } from './transport.js'

/** What Spot can do in an account, by noun. */
const operationsOf = (spot: Spot) => ({
  capacity: capacity(spot),
  elastigroups: elastigroups(spot),
  imports: imports(spot),
  managedInstances: managedInstances(spot),
  rolls: rolls(spot),
  statefulInstances: statefulInstances(spot)
})

/** A configured account: what it is called, what it is like, and what Spot can do in it. */
export interface Account extends ReturnType<typeof operationsOf> {
  name: string
  /** VPC of managed instances that name none. */
  defaultVPC: string | undefined
}

export interface AccountSettings extends SpotAccount {
  defaultVPC?: string | undefined
}

/** The configured accounts by name. */
export interface Spotinst {
  /** @throws {Problem} account-not-found */
  account (name: string): Account
}

/**
 * @param observe told of every upstream call once it ended, with the name of its account
 */
export function spotinst (
  settings: Record<string, AccountSettings>,
  transport: Transport,
  observe: (account: string, call: Parameters<Observe>[0]) => void
): Spotinst {
  const accounts = new Map(Object.entries(settings).map(([name, account]): [string, Account] => {
    const spot = spotOf(account, transport, (call) => observe(name, call))
    return [name, { name, defaultVPC: account.defaultVPC, ...operationsOf(spot) }]
  }))

  return {
    account (name) {
      const account = accounts.get(name)
      if (account) return account
      throw new Problem('account-not-found', {
        detail: `No account ${JSON.stringify(name)} is configured on this server.`,
        hint: 'Account names are set by the operator and are case-sensitive.'
      })
    }
  }
}
