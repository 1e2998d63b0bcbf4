import { parseArgs } from 'node:util'
import { isLoopback, listenAddressOf } from '../configuration/listen-address.js'
import { UsageError, whole } from './option-values.js'
import { readSandboxOptions, SANDBOX_HELP, sandboxOptions, type SandboxOptions } from './sandbox-options.js'

/** The key of `--demo`. */
const DEMO_KEY = 'spot-api-demo-key'

export const HELP = `spot-api: one REST door in front of Spot for AWS Elastigroups and managed instances

Usage
  spot-api [serve] [--config FILE] [--listen HOST:PORT | --port N]
      Starts the server. The default configuration is config/config.json; without one it starts on the embedded
      sandbox, a simulated Spot, on 127.0.0.1:8080.
  spot-api [serve] --key K | --demo [--listen HOST:PORT | --port N]
      Starts it on the embedded sandbox even where there is a configuration, with your key, or on this machine alone
      with the key ${DEMO_KEY}.
  spot-api sandbox [--listen HOST:PORT] [options]
      Starts only the simulated Spot API, for other clients. Each option has an environment variable, too, such as
      SPOT_API_SANDBOX_LIST_SHAPE.
${SANDBOX_HELP}
  spot-api token [--cost 4..12]
      Reads a key from standard input and prints the X-Auth-Token value for it. Default: cost 10.
  spot-api check --config FILE [--connect]
      Checks a configuration: prints what is wrong with it, or what each client may do. With --connect it also tries
      its Redis.
  spot-api help | version
      Prints this help, or the version; so do --help, -h, --version and -v.

From a checkout: npm start -- --config FILE, npm run sandbox -- --port N, npm run -s token, npm run check -- …
`

/** Where to listen; what is missing stays as it is configured. */
interface Listen { host?: string, port?: number }

export type Command =
  | {
    name: 'serve'
    config: string | undefined
    listen: Listen
    /** Of the sandbox, which is started where there is one. */
    key: string | undefined
  }
  | { name: 'sandbox', listen: Listen, options: SandboxOptions }
  | { name: 'token', cost: number }
  | { name: 'check', config: string, connect: boolean }
  | { name: 'help' }
  | { name: 'version' }

const string = { type: 'string' } as const
const boolean = { type: 'boolean' } as const
const all = {
  ...sandboxOptions,
  config: string,
  listen: string,
  key: string,
  demo: boolean,
  cost: string,
  connect: boolean,
  help: { ...boolean, short: 'h' },
  version: { ...boolean, short: 'v' }
} as const

/**
 * Reads a command line.
 *
 * @param words the arguments
 * @param environment what options may be taken from
 * @throws {UsageError} when they are not valid
 */
export function commandOf (words: string[], environment: NodeJS.ProcessEnv = {}): Command {
  const [first, ...rest] = words
  const named = first !== undefined && !first.startsWith('-')
  const name = named ? first : 'serve'
  if (name === 'help' || name === 'version') return { name }
  const values = read(named ? rest : words)
  if (values.help) return { name: 'help' }
  if (values.version) return { name: 'version' }
  const allowed = options.get(name)
  if (!allowed) throw new UsageError(`There is no command ${name}.`)
  const stray = Object.keys(values).find((option) => !allowed.includes(option))
  if (stray !== undefined) throw new UsageError(`The command ${name} takes no --${stray}.`)
  if (values.config === '') throw new UsageError('--config needs the name of a file.')

  switch (name) {
    case 'sandbox': return { name, ...sandboxCommand(values, environment) }
    case 'token': return { name, cost: whole('--cost', values.cost ?? '10', 4, 12) }
    case 'check':
      if (values.config === undefined) throw new UsageError('The command check needs --config FILE.')
      return { name, config: values.config, connect: values.connect ?? false }
    default: return { name: 'serve', ...serveOptions(values) }
  }
}

const options = new Map(Object.entries({
  serve: ['config', 'listen', 'port', 'key', 'demo'],
  sandbox: ['listen', ...Object.keys(sandboxOptions)],
  token: ['cost'],
  check: ['config', 'connect']
}))

function read (args: string[]) {
  try {
    return parseArgs({ args, options: all, strict: true, allowPositionals: false }).values
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

interface ListenValues { listen?: string, port?: string }

function listenOf ({ listen, port }: ListenValues): Listen {
  if (listen !== undefined && port !== undefined) throw new UsageError('--listen has a port: leave --port out.')
  if (port !== undefined) return { port: whole('--port', port, 0, 65_535) }
  try {
    return listen === undefined ? {} : listenAddressOf(listen)
  } catch {
    throw new UsageError('--listen must be HOST:PORT or :PORT.')
  }
}

interface ServeValues extends ListenValues { config?: string, key?: string, demo?: boolean }

/** @throws {UsageError} when they contradict one another */
function serveOptions ({ key, demo, config, ...where }: ServeValues) {
  const listen = listenOf(where)
  if (key === '') throw new UsageError('--key needs a key.')
  if (key !== undefined && demo) throw new UsageError('--demo has a key of its own: leave out --key.')
  if (config !== undefined && (key !== undefined || demo)) {
    throw new UsageError(`--${demo ? 'demo' : 'key'} is for the sandbox: leave out --config.`)
  }
  if (demo && listen.host !== undefined && !isLoopback(listen.host)) {
    throw new UsageError('--demo has a key that everybody knows: with --listen, name a loopback address.')
  }
  return { config, listen, key: demo ? DEMO_KEY : key }
}

/** An address wins over the port in the environment. */
function sandboxCommand (values: ReturnType<typeof read>, environment: NodeJS.ProcessEnv) {
  const options = readSandboxOptions(values, environment)
  return { listen: { port: options.port, ...listenOf(values) }, options }
}
