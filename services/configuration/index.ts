import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { Ajv, type ValidateFunction } from 'ajv'
import ipaddr from 'ipaddr.js'
import type { AccountSettings } from '../spot/account.js'
import type { Deadlines } from '../spot/accounts.js'
import type { ReadSettings } from '../spot/stages/memory/index.js'
import type { StateSettings } from '../state/index.js'
import type { Client } from '../access/clients.js'
import { clientsOf, type ClientInFile } from './clients.js'
import type { Guardrails } from '../guardrails/index.js'
import { ConfigurationError, type ConfigurationFault } from './error.js'
import { faultsOf } from './faults.js'
import { schema } from './schema.js'
import { resolveSecret, type Secret } from './secrets.js'

export { owner } from './clients.js'
export { ConfigurationError } from './error.js'

export interface Configuration {
  listen: { host: string, port: number }
  /** Spot accounts by the name callers use. */
  accounts: Record<string, AccountSettings & { region?: string, marker?: boolean, guardrails?: Guardrails }>
  /** Who may call, and what they may do. */
  clients: Client[]
  /** Keys that are tried for a token whose caller names no client. */
  keysTried: number
  /** Load balancers whose word about the caller's address is taken: addresses, or networks such as `10.0.0.0/8`. */
  trustedProxies: string[]
  /** Requests with a right token that are taken at once. */
  maxRequests: number
  /** Part of Spot's rate limit, by route, that one client may use; a sole client has all of it. */
  share: number
  /** Level of the log, as pino names them. */
  logLevel: string
  /** Value of the tag `spinup:org`. */
  organization: string | undefined
  /** Where the source of what runs is offered, when that is not where this project lives. */
  source: string | undefined
  /** Where a line is written for each write. */
  audit: 'stdout' | { file: string } | undefined
  /** Milliseconds until a request must be over, whatever calls to Spot it makes. */
  deadlines: Deadlines
  /** Where keys are remembered. */
  state: StateSettings
  /** Milliseconds that what Spot said is fresh, and may stand in when Spot can not be asked. */
  reads: ReadSettings
  /** Milliseconds after an attempt ended in which Spot may still carry it out, or show it in a list. */
  settle: number
  /** Seconds in which a server that was told to end still takes requests, so that load balancers can notice. */
  drainSeconds: number
  /** Whether the accounts are the embedded sandbox's. */
  sandbox: boolean
}

interface AccountInFile {
  id: string
  token: Secret
  region?: string
  defaultVPC?: string
  endpoint?: string
  /** Whether creates with a key carry a marker, so that they can be found again. On unless false. */
  marker?: boolean
  /** Whom Spot's rate limit counts the account for; accounts with the same token belong together unless set. */
  organization?: string
  /** Rules for writes in it. */
  guardrails?: Guardrails
}

/** The file as it is written. */
interface ConfigurationFile {
  listenAddress?: string
  accounts: Record<string, AccountInFile>
  token?: Secret
  clients?: ClientInFile[]
  keysTried?: number
  trustedProxies?: string[]
  maxRequests?: number
  share?: number
  logLevel?: string
  org?: string
  deadlines?: { readSeconds?: number, writeSeconds?: number }
  /** In seconds. */
  reads?: { freshFor?: number, staleFor?: number }
  settleSeconds?: number
  state?: { directory?: string } | { redis: Secret }
  source?: string
  audit?: 'stdout' | { file: string }
  drainSeconds?: number
}

/** Where state is kept unless the file says otherwise: like any such directory, relative to the working directory. */
const STATE_DIRECTORY = 'state'

/** bcrypt takes 72 bytes of a key and ignores the rest; a key shorter than 16 can be guessed. */
const KEY_BYTES = { fewest: 16, most: 72 }

/** Load balancers look every few seconds. */
const DRAIN_SECONDS = 5

/** Each costs whoever guesses a tenth of a second, and this server as well. */
const KEYS_TRIED = 4

/** Keys that stand in documents for everybody to read. */
const EXAMPLE_KEYS = ['change-me-to-a-long-random-key', '1234567890123456', 'xxxxxxxxxxxxxxxxxxxx']

/** Levels of the earlier Go service that are called otherwise here. */
const LEVELS: Record<string, string> = { warning: 'warn', panic: 'fatal' }

let validate: ValidateFunction<ConfigurationFile> | undefined

/** Made when a file is read: the sandbox has none. That the schema is one is for tests to check, it would take time. */
function validator (): ValidateFunction<ConfigurationFile> {
  validate ??= new Ajv({
    allErrors: true,
    strict: true,
    strictRequired: false,
    allowUnionTypes: true,
    meta: false,
    validateSchema: false,
    code: { optimize: false }
  }).compile<ConfigurationFile>(schema)
  return validate
}

/**
 * Reads and checks a configuration file, and fetches the secrets it refers to.
 *
 * @throws {ConfigurationError} when it can not be used; it names every place at once
 */
export const loadConfiguration = (file: string, environment = process.env): Configuration =>
  readConfiguration(file, environment).configuration

/**
 * The same, with the names of all files that say something of it.
 *
 * @throws {ConfigurationError} when it can not be used; it names every place at once
 */
export function readConfiguration (
  file: string, environment = process.env
): { configuration: Configuration, files: string[] } {
  let parsed: unknown
  try {
    parsed = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const message = code === 'ENOENT' ? 'no such file' : code ? `can not be read (${code})` : 'is not valid JSON'
    throw new ConfigurationError(file, [{ pointer: '', message }])
  }
  const files = [file]
  const configuration = configurationOf(parsed, { name: file, folder: dirname(file), environment, files })
  return { configuration, files }
}

export function configurationOf (
  parsed: unknown,
  { name, folder, environment, files = [] }: {
    name: string
    folder: string
    environment: NodeJS.ProcessEnv
    /** Takes the names of files with secrets. */
    files?: string[]
  }
): Configuration {
  const isSound = validator()
  if (!isSound(parsed)) throw new ConfigurationError(name, faultsOf(isSound.errors ?? []))
  const faults: ConfigurationFault[] = []
  const attempt = <T>(pointer: string, read: () => T, instead: T): T => {
    try {
      return read()
    } catch (error) {
      faults.push({ pointer, message: (error as Error).message })
      return instead
    }
  }
  const secret = (value: Secret) => {
    if (typeof value === 'object' && 'file' in value) files.push(resolve(folder, value.file))
    return resolveSecret(value, environment, folder)
  }

  const { listenAddress = ':8080' } = parsed
  const listen = attempt('/listenAddress', () => listenAddressOf(listenAddress), { host: '', port: 0 })
  const accounts = Object.fromEntries(Object.entries(parsed.accounts).map(([account, settings]) => {
    const pointer = `/accounts/${account}`
    const fault = settings.endpoint === undefined ? undefined : faultOfEndpoint(settings.endpoint)
    if (fault) faults.push({ pointer: `${pointer}/endpoint`, message: fault })
    return [account, { ...settings, token: attempt(`${pointer}/token`, () => soundToken(secret(settings.token)), '') }]
  }))
  const { state = {} } = parsed
  const keep = 'redis' in state
    ? { redis: attempt('/state/redis', () => soundRedis(secret(state.redis)), '') }
    : { directory: STATE_DIRECTORY, ...state }
  parsed.trustedProxies?.forEach((proxy, index) => {
    const fault = faultOfProxy(proxy)
    if (fault) faults.push({ pointer: `/trustedProxies/${index}`, message: fault })
  })
  const clients = clientsOf(parsed, {
    accounts: Object.keys(accounts),
    key: (pointer, value) => attempt(pointer, () => soundKey(secret(value)), ''),
    fault: (pointer, message) => { faults.push({ pointer, message }) }
  })
  if (faults.length > 0) throw new ConfigurationError(name, faults)

  const logLevel = parsed.logLevel ?? 'info'
  return {
    listen,
    accounts,
    clients,
    keysTried: parsed.keysTried ?? KEYS_TRIED,
    trustedProxies: parsed.trustedProxies ?? [],
    maxRequests: parsed.maxRequests ?? 1000,
    share: parsed.share ?? 0.5,
    logLevel: LEVELS[logLevel] ?? logLevel,
    organization: parsed.org,
    source: parsed.source,
    audit: parsed.audit ?? 'stdout',
    deadlines: {
      read: (parsed.deadlines?.readSeconds ?? 10) * 1000,
      write: (parsed.deadlines?.writeSeconds ?? 60) * 1000
    },
    state: keep,
    reads: { freshFor: (parsed.reads?.freshFor ?? 1) * 1000, staleFor: (parsed.reads?.staleFor ?? 60) * 1000 },
    settle: (parsed.settleSeconds ?? 15) * 1000,
    drainSeconds: parsed.drainSeconds ?? DRAIN_SECONDS,
    sandbox: false
  }
}

/** `host:port`, `:port` (every address) or `[address]:port`. @throws {TypeError} when it is none of them */
export function listenAddressOf (text: string): { host: string, port: number } {
  const [, bracketed, host, port] = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:[\]]*)):(\d{1,5})$/.exec(text) ?? []
  if (port === undefined || Number(port) > 65_535) throw new TypeError('must be HOST:PORT or :PORT')
  return { host: bracketed ?? (host || '0.0.0.0'), port: Number(port) }
}

/** The token travels to the endpoint, so it is https, save on this machine. */
function faultOfEndpoint (endpoint: string): string | undefined {
  if (!URL.canParse(endpoint)) return 'must be a URL'
  const { protocol, hostname, username, password, search, hash } = new URL(endpoint)
  const loopback = hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname)
  if (protocol !== 'https:' && !(protocol === 'http:' && loopback)) return 'must be https, save for loopback hosts'
  if (username || password || search || hash) return 'must have no user, password, query or fragment'
  return undefined
}

/** The URL of one Redis. Its query would change how this server talks to it. @throws {TypeError} when it is none */
function soundRedis (url: string): string {
  if (/^rediss?[+-](?:sentinel|cluster|socket|unix)/i.test(url) || /^rediss?:\/\/[^/?#]*,/i.test(url)) {
    throw new TypeError('must name one Redis: Sentinel, Cluster and sockets are not supported. Name an address that ' +
      'always leads to the primary, such as a service, a proxy or the endpoint of a managed Redis')
  }
  const { protocol, hostname, username, password, pathname, search, hash } =
    URL.canParse(url) ? new URL(url) : {} as Partial<URL>
  if (!hostname || !/^rediss?:$/.test(protocol ?? '') || /%(?![\dA-Fa-f]{2})/.test(`${username} ${password}`)) {
    throw new TypeError('must be redis://HOST:PORT or rediss://HOST:PORT, signs in a password percent-encoded')
  }
  if (search || hash) throw new TypeError('must have no query or fragment')
  if (!/^(?:\/\d*)?$/.test(pathname ?? '')) throw new TypeError('must have nothing after the host but the number of a database')
  return url
}

/** An address or a network of some; if every address were trusted, callers could choose theirs. */
function faultOfProxy (proxy: string): string | undefined {
  const network = proxy.includes('/') ? proxy : `${proxy}/32`
  if (!ipaddr.IPv4.isValidCIDRFourPartDecimal(network) && !ipaddr.IPv6.isValidCIDR(network)) {
    return 'must be an address or a network such as 10.0.0.0/8'
  }
  return ipaddr.parseCIDR(network)[1] === 0 ? 'must not be every address' : undefined
}

function soundKey (key: string): string {
  const bytes = Buffer.byteLength(key)
  const { fewest, most } = KEY_BYTES
  if (EXAMPLE_KEYS.includes(key)) throw new TypeError('is an example that everybody can read')
  if (bytes < fewest || bytes > most) throw new TypeError(`must have ${fewest} to ${most} bytes (it has ${bytes})`)
  return key
}

/** Spot's token travels in a header, which takes no line ends. */
function soundToken (token: string): string {
  if (!/^[\x21-\x7e]+$/.test(token)) throw new TypeError('must be one line of visible ASCII characters, without spaces')
  return token
}
