import type { Access, Client } from '../access/clients.js'
import type { Guardrails } from '../guardrails/schema.js'
import type { AccountSettings } from '../spot/account.js'
import type { TimeLimits } from '../spot/accounts.js'
import type { ReadSettings } from '../spot/stages/memory/index.js'
import type { StateSettings } from '../state/index.js'
import type { Secret } from './secrets.js'

/** What the server runs with: secrets resolved, times in milliseconds unless the name says otherwise. */
export interface Configuration {
  listen: { host: string, port: number }
  accounts: Record<string, AccountSettings & Pick<AccountInFile, 'region' | 'marker' | 'guardrails'>>
  clients: Client[]
  keysTried: number
  trustedProxies: string[]
  metrics: Settings['metrics']
  cors: string[]
  maxRequests: number
  share: number
  logLevel: string
  organizationTag: string | undefined
  source: string | undefined
  audit: Audit | undefined
  deadlines: TimeLimits
  state: StateSettings
  reads: ReadSettings
  settle: number
  drainSeconds: number
  /** Whether the accounts are the embedded sandbox's. */
  sandbox: boolean
}

type Audit = 'stdout' | { file: string }

export interface AccountInFile {
  id: string
  token: Secret
  region?: string
  defaultVPC?: string
  endpoint?: string
  marker?: boolean
  organization?: string
  guardrails?: Guardrails
}

export interface ClientInFile {
  name: string
  key: Secret | Secret[]
  accounts: string[]
  access: Access
  expires?: string
  allowDelete?: boolean
  guardrails?: Guardrails
}

/** The file with its defaults filled in. `settings.ts` says what each setting means. */
export interface Settings {
  accounts: Record<string, AccountInFile>
  token?: Secret
  clients: ClientInFile[]
  org?: string
  listenAddress: string
  keysTried: number
  trustedProxies: string[]
  metrics: 'public' | 'token'
  cors: string[]
  maxRequests: number
  share: number
  deadlines: { readSeconds: number, writeSeconds: number }
  reads: { freshFor: number, staleFor: number }
  settleSeconds: number
  state: { directory: string, redis?: Secret }
  audit: Audit
  logLevel: string
  drainSeconds: number
  source?: string
}

type Group = 'deadlines' | 'reads' | 'state'

/** Names of settings: `org`, and `deadlines.readSeconds` for what is inside an object. */
export type SettingName =
  Exclude<keyof Settings, Group> | { [Name in Group]: `${Name}.${keyof Settings[Name] & string}` }[Group]

/** The file as it is written. */
export type ConfigurationFile =
  Pick<Settings, 'accounts'> &
  Partial<Omit<Settings, Group>> &
  { [Name in Group]?: Partial<Settings[Name]> }
