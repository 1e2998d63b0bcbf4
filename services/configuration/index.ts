import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, resolve } from 'node:path'
import type { ValidateFunction } from 'ajv'
import { compileRule, type Guardrails } from '../guardrails/index.js'
import { isObject } from '../resources/json.js'
import { checkEndpoint, checkKey, checkOrigin, checkProxy, checkRedis, checkToken } from './checks.js'
import { clientsOf } from './clients.js'
import type { Configuration, ConfigurationFile } from './configuration.js'
import { withDefaults } from './defaults.js'
import { ConfigurationError, type ConfigurationFault } from './error.js'
import { faultsOf } from './faults.js'
import { parseJson } from './json.js'
import { pruned } from './pruned.js'
import { listenAddressOf } from './listen-address.js'
import { schema } from './schema.js'
import { resolveSecret, type Secret } from './secrets.js'

export { checkKey } from './checks.js'
export { owner } from './clients.js'
export type { Configuration } from './configuration.js'
export { ConfigurationError } from './error.js'
export { secretsOf } from './configured-secrets.js'
export { livePartsOf } from './live.js'

/** Levels that the earlier Go service named differently. */
const LEVELS: Record<string, string> = { warning: 'warn', panic: 'fatal' }

/** Where a configuration comes from. */
export interface Source {
  name: string
  /** What the names of secret files are relative to. */
  folder: string
  environment: NodeJS.ProcessEnv
}

/** A configuration, and every file that it was read from: the file itself and those of its secrets. */
export interface ReadConfiguration { configuration: Configuration, files: string[] }

/**
 * Reads and checks a configuration file, and the secrets it refers to.
 *
 * @throws {ConfigurationError} when it cannot be used; it lists every fault
 */
export function readConfiguration (file: string, environment = process.env): ReadConfiguration {
  const { value: parsed, repeated } = parseJson(bytesOf(file), file)
  const faults = [...repeated, ...schemaFaults(parsed)]
  if (faults.some(({ pointer }) => pointer === '')) throw new ConfigurationError(file, faults)
  const source = { name: file, folder: dirname(file), environment }
  const { configuration, files } = resolveSettings(parsed as ConfigurationFile, source, faults)
  return { configuration, files: [file, ...files] }
}

function bytesOf (file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const message = code === 'ENOENT' ? 'no such file' : `cannot be read (${code})`
    throw new ConfigurationError(file, [{ pointer: '', message }])
  }
}

let validate: ValidateFunction<ConfigurationFile> | undefined

/** Loaded where there is a file: the sandbox has none. Tests check that the schema is valid; that would take time. */
function compileSchema () {
  const { Ajv } = createRequire(import.meta.url)('ajv') as typeof import('ajv')
  return new Ajv({
    allErrors: true,
    strict: true,
    strictRequired: false,
    allowUnionTypes: true,
    meta: false,
    validateSchema: false,
    code: { optimize: false }
  }).compile<ConfigurationFile>(schema)
}

/** What does not match the schema. */
function schemaFaults (parsed: unknown): ConfigurationFault[] {
  validate ??= compileSchema()
  return validate(parsed) ? [] : faultsOf(validate.errors ?? [])
}

/** @throws {ConfigurationError} when it does not match the schema */
export function checkSchema (parsed: unknown, { name }: Source): asserts parsed is ConfigurationFile {
  const faults = schemaFaults(parsed)
  if (faults.length > 0) throw new ConfigurationError(name, faults)
}

/**
 * The configuration of a file, and the files of its secrets.
 *
 * @param broken where the file does not match the schema; all else is checked, so that every fault is found at once
 * @throws {ConfigurationError} when a value cannot be used; it lists every fault
 */
export function resolveSettings (
  file: ConfigurationFile, { name, folder, environment }: Source, broken: readonly ConfigurationFault[] = []
): ReadConfiguration {
  const settings = withDefaults(broken.length > 0 ? pruned(file, broken) : file)
  const files: string[] = []
  const faults = [...broken]
  const isWithin = (pointer: string, outer: string) => `${pointer}/`.startsWith(`${outer}/`)
  const isBroken = (pointer: string) =>
    broken.some(({ pointer: at }) => isWithin(pointer, at) || isWithin(at, pointer))
  const fault = (pointer: string, message: string) => {
    if (!isBroken(pointer)) faults.push({ pointer, message })
  }
  const attempt = <T>(pointer: string, read: () => T, otherwise: T): T => {
    try {
      return read()
    } catch (error) {
      fault(pointer, (error as Error).message)
      return otherwise
    }
  }
  const secret = (pointer: string, value: Secret, check: (text: string) => string) => attempt(pointer, () => {
    if (typeof value === 'object' && 'file' in value) files.push(resolve(folder, value.file))
    return check(resolveSecret(value, environment, folder))
  }, '')

  const checkRules = (pointer: string, { schema = {} }: Guardrails = {}) => {
    for (const [noun, one] of Object.entries(schema)) {
      attempt(`${pointer}/guardrails/schema/${noun}`, () => { compileRule(one) }, undefined)
    }
  }

  const { listenAddress, state, deadlines, reads, logLevel } = settings
  const listen = attempt('/listenAddress', () => listenAddressOf(listenAddress), { host: '', port: 0 })
  const accounts = Object.fromEntries(Object.entries(settings.accounts).map(([account, { endpoint = '', ...rest }]) => {
    const pointer = `/accounts/${account}`
    checkRules(pointer, rest.guardrails)
    return [account, {
      ...rest,
      endpoint: attempt(`${pointer}/endpoint`, () => checkEndpoint(endpoint), ''),
      token: secret(`${pointer}/token`, rest.token, checkToken)
    }]
  }))
  settings.trustedProxies.forEach((proxy, index) => attempt(`/trustedProxies/${index}`, () => checkProxy(proxy), ''))
  settings.cors.forEach((origin, index) => attempt(`/cors/${index}`, () => checkOrigin(origin), ''))
  settings.clients.forEach(({ guardrails }, index) => checkRules(`/clients/${index}`, guardrails))
  const clients = clientsOf(settings, {
    // An account with a fault is an account all the same.
    accounts: isObject(file.accounts) ? Object.keys(file.accounts) : undefined,
    key: (pointer, value) => secret(pointer, value, checkKey),
    fault
  })
  const store = state.redis === undefined
    ? { directory: state.directory }
    : { redis: secret('/state/redis', state.redis, checkRedis) }
  if (faults.length > 0) throw new ConfigurationError(name, faults)

  const { keysTried, trustedProxies, metrics, cors, maxRequests, share, audit, source, drainSeconds } = settings
  const configuration: Configuration = {
    listen,
    accounts,
    clients,
    keysTried,
    trustedProxies,
    metrics,
    cors,
    maxRequests,
    share,
    logLevel: LEVELS[logLevel] ?? logLevel,
    organizationTag: settings.org,
    source,
    audit,
    deadlines: { read: deadlines.readSeconds * 1000, write: deadlines.writeSeconds * 1000 },
    state: store,
    reads: { freshFor: reads.freshFor * 1000, staleFor: reads.staleFor * 1000 },
    settle: settings.settleSeconds * 1000,
    drainSeconds,
    sandbox: false
  }
  return { configuration, files }
}
