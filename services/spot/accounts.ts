import { isDeepStrictEqual } from 'node:util'
import { Problem } from '../problems/index.js'
import { Account, identityOf, type AccountOptions, type AccountSettings } from './account.js'
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

/** Milliseconds that a request may take, whatever calls it makes: one that only reads, one that writes. */
export interface TimeLimits { read: number, write: number }

/** The configured accounts by name. */
export interface Accounts {
  /**
   * An account, for one request, whose time starts now.
   *
   * @throws {Problem} account-not-found
   */
  account (name: string, options: RequestOptions): Account
  /** Uses these accounts from now on. Requests under way keep what they have. */
  replaceAll (settings: Record<string, AccountSettings>): void
  /** For each account, whether its circuit breakers are open. */
  breakerStates (): [account: string, open: { reads: boolean, writes: boolean }][]
  /** Endpoint and account id: two names may have the same. Undefined where there is no such account. */
  identity (name: string): string | undefined
  /** Loads the HTTP client before the first call needs it. */
  warmUp (): Promise<unknown>
  close (): void
}

/** Per-request options. `fresh`, `reserved` and `dryRun` default to false. */
export interface RequestOptions extends Partial<Omit<AccountOptions, 'deadline'>> {
  /** A request that writes has more time. */
  kind: keyof TimeLimits
  /** When it must be over at the latest, by the clock. */
  deadline?: number
}

export interface AccountsOptions {
  version: string
  timeLimits: TimeLimits
  memory: Memory
  limit: Limit
  /** Called after every attempt, for logs and metrics, with the name of its account. */
  observe: (account: string, attempt: Parameters<Observe>[0]) => void
  clock?: Clock
  /** Masks this server's own secrets in what Spot says; default: as it is. */
  conceal?: (text: string) => string
  /** What talks to Spot; default: HTTP. */
  wire?: (settings: SpotAccount) => Next
  /** Random number from 0 to 1, for the jitter of retry pauses. */
  random?: () => number
}

interface ConfiguredAccount {
  settings: AccountSettings
  organization: Organization
  identity: string
  breakers: Record<CallKind, Breaker>
  send: Next
}

export function createAccounts (all: Record<string, AccountSettings>, options: AccountsOptions): Accounts {
  const { version, timeLimits, clock = systemClock } = options
  let client: Promise<Client> | undefined
  // Loading it at once would double the start-up time.
  const load = () => {
    client ??= import('./wire/client.js').then(({ createClient }) => createClient(version))
    return client
  }
  let accounts = new Map<string, ConfiguredAccount>()

  function replaceAll (all: Record<string, AccountSettings>) {
    const organizations = organizationsOf(all)
    accounts = new Map(Object.entries(all).map(([name, settings]) => {
      const organization = organizations.get(name) as Organization
      const previous = accounts.get(name)
      const isSame = previous &&
        isDeepStrictEqual([previous.settings, previous.organization], [settings, organization])
      // One that is the same keeps its breakers.
      return [name, isSame ? previous : configure(name, settings, organization, load, options)]
    }))
  }

  replaceAll(all)
  return {
    replaceAll,
    account (name, { kind, deadline: latest = Infinity, ...rest }) {
      const account = accounts.get(name)
      if (!account) {
        throw new Problem('account-not-found', {
          detail: `No account ${JSON.stringify(name)} is configured on this server.`,
          hint: 'Account names are set by the operator and are case-sensitive.'
        })
      }
      const deadline = Math.min(latest, clock.now() + timeLimits[kind])
      return new Account(name, account.settings, account.send, {
        fresh: false, reserved: false, dryRun: false, client: '', ...rest, deadline
      })
    },
    breakerStates: () => [...accounts].map(([name, { breakers: { reads, writes } }]) =>
      [name, { reads: reads.open, writes: writes.open }]),
    identity: (name) => accounts.get(name)?.identity,
    warmUp: load,
    close () {
      client?.then((client) => client.close(), () => {})
    }
  }
}

/** An account with the stages that its calls pass, in their order. */
function configure (
  name: string, settings: AccountSettings, organization: Organization, load: () => Promise<Client>,
  { timeLimits, memory, limit, observe, clock = systemClock, conceal, wire, random = Math.random }: AccountsOptions
): ConfiguredAccount {
  const identity = identityOf(settings)
  const breakers = { reads: new Breaker(clock), writes: new Breaker(clock) }
  const stages: Stage[] = [
    memory.stage(identity, timeLimits.read),
    retry(clock, random),
    (call, next) => breakers[kindOf(call)].stage(call, next),
    limit.stage(organization),
    observed((attempt) => observe(name, attempt), clock)
  ]
  const send = compose(stages, wire ? wire(settings) : wireOf(settings, load, clock, conceal))
  return { settings, organization, identity, breakers, send }
}
