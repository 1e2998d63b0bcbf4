import { isDeepStrictEqual } from 'node:util'
import { Problem } from '../problems/index.js'
import { Account, identityOf, type AccountSettings, type AccountTerms } from './account.js'
import { kindOf, type CallKind, type SpotAccount } from './call.js'
import { systemClock, type Clock } from './clock.js'
import { organizationsOf, type Organization } from './organizations.js'
import { compose, type Next, type Stage } from './stage.js'
import { Breaker } from './stages/breaker.js'
import type { Limit } from './stages/limit/index.js'
import type { Memory } from './stages/memory/index.js'
import { observed, type Observe } from './stages/observed.js'
import { retry } from './stages/retry.js'
import { wireOf } from './wire/index.js'
import type { Client } from './wire/client.js'

/** Milliseconds until a request must be over, whatever calls it makes: one that only reads, one that writes. */
export interface Deadlines { read: number, write: number }

/** The configured accounts by name. */
export interface Accounts {
  /**
   * An account, for one request: its time runs from here.
   *
   * @throws {Problem} account-not-found
   */
  account (name: string, terms: Terms): Account
  /** Takes other accounts from now on. Requests under way go on with what they have. */
  use (settings: Record<string, AccountSettings>): void
  /** What is held back of each account, since most calls failed of late. */
  heldBack (): [account: string, held: { reads: boolean, writes: boolean }][]
  /** What the account is to Spot: two names may stand for one. Undefined where there is no such account. */
  identity (name: string): string | undefined
  /** Loads the HTTP client before the first call needs it. */
  warmUp (): Promise<unknown>
  close (): void
}

/** What holds for one request; it is fresh, reserved and dry only where that is said. */
export interface Terms extends Partial<Omit<AccountTerms, 'deadline'>> {
  /** Whether it may write: then it has more time. */
  kind: keyof Deadlines
  /** When it must be over at the latest, by the clock. */
  deadline?: number
}

export interface AccountsOptions {
  version: string
  within: Deadlines
  memory: Memory
  limit: Limit
  /** Called after every attempt, for logs and metrics, with the name of its account. */
  observe: (account: string, attempt: Parameters<Observe>[0]) => void
  clock?: Clock
  /** Masks this server's own secrets in what Spot says; default: as it is. */
  conceal?: (text: string) => string
  /** What talks to Spot; default: HTTP. */
  wire?: (settings: SpotAccount) => Next
  /** From 0 to 1, for pauses that differ. */
  random?: () => number
}

interface Known {
  settings: AccountSettings
  organization: Organization
  identity: string
  breakers: Record<CallKind, Breaker>
  send: Next
}

export function createAccounts (
  all: Record<string, AccountSettings>,
  { version, within, memory, limit, observe, clock = systemClock, conceal, wire, random = Math.random }: AccountsOptions
): Accounts {
  let client: Promise<Client> | undefined
  // Half of the time that a start takes would go into loading it.
  const load = () => {
    client ??= import('./wire/client.js').then(({ createClient }) => createClient(version))
    return client
  }
  let accounts = new Map<string, Known>()

  function use (all: Record<string, AccountSettings>) {
    const organizations = organizationsOf(all)
    accounts = new Map(Object.entries(all).map(([name, settings]) => {
      const organization = organizations.get(name) as Organization
      const before = accounts.get(name)
      const same = before && isDeepStrictEqual([before.settings, before.organization], [settings, organization])
      if (same) return [name, before] // its breakers go on as they are
      const identity = identityOf(settings)
      const breakers = { reads: new Breaker(clock), writes: new Breaker(clock) }
      const stages: Stage[] = [
        memory.stage(identity, within.read),
        retry(clock, random),
        (call, next) => breakers[kindOf(call)].stage(call, next),
        limit.stage(organization),
        observed((attempt) => observe(name, attempt), clock)
      ]
      const send = compose(stages, wire ? wire(settings) : wireOf(settings, load, clock, conceal))
      return [name, { settings, organization, identity, breakers, send }]
    }))
  }

  use(all)
  return {
    use,
    account (name, { kind, deadline: latest = Infinity, ...terms }) {
      const known = accounts.get(name)
      if (!known) {
        throw new Problem('account-not-found', {
          detail: `No account ${JSON.stringify(name)} is configured on this server.`,
          hint: 'Account names are set by the operator and are case-sensitive.'
        })
      }
      const deadline = Math.min(latest, clock.now() + within[kind])
      return new Account(name, known.settings, known.send, {
        fresh: false, reserved: false, dryRun: false, client: '', ...terms, deadline
      })
    },
    heldBack: () => [...accounts].map(([name, { breakers: { reads, writes } }]) =>
      [name, { reads: reads.open, writes: writes.open }]),
    identity: (name) => accounts.get(name)?.identity,
    warmUp: load,
    close () {
      client?.then((client) => client.close(), () => {})
    }
  }
}
