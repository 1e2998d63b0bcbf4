import { parseArgs } from 'node:util'
import { isLoopback, listenAddressOf } from '../configuration/listen-address.js'
import { UsageError, whole } from './option-values.js'
import { readSandboxOptions, SANDBOX_HELP, sandboxOptions, type SandboxOptions } from './sandbox-options.js'

/** The key of `--demo`. */
const DEMO_KEY = 'spot-api-demo-key'

export const HELP = `spot-api: one REST door in front of Spot for AWS Elastigroups and managed instances

Usage
  spot-api [serve] [--config FILE] [--listen HOST:PORT]
      Starts the server. The default configuration is config/config.json; without one it starts on the embedded
      sandbox, a simulated Spot, on 127.0.0.1:8080.
  spot-api [serve] --key K | --demo [--listen HOST:PORT]
      Starts it on the embedded sandbox even where there is a configuration, with your key, or on this machine alone
      with the key ${DEMO_KEY}.
  spot-api sandbox [options]
      Starts only the simulated Spot API, for other clients. Each option has an environment variable, too, such as
      SPOT_API_SANDBOX_LIST_SHAPE.
${SANDBOX_HELP}
  spot-api token [--cost 4..12]
      Reads a key from standard input and prints the X-Auth-Token value for it. Default: cost 10.
  spot-api check --config FILE
      Checks a configuration and prints what is wrong with it.

  --help     this help
  --version  the version

From a checkout: npm start -- --config FILE, npm run sandbox -- --port N, npm run -s token, npm run check -- …
`

export type Command =
  | {
    name: 'serve'
    config: string | undefined
    listen: { host: string, port: number } | undefined
    /** Of the sandbox, which is started where there is one. */
    key: string | undefined
  }
  | { name: 'sandbox', options: SandboxOptions }
  | { name: 'token', cost: number }
  | { name: 'check', config: string }
  | { name: 'help' }
  | { name: 'version' }

const string = { type: 'string' } as const
const boolean = { type: 'boolean' } as const
const everywhere = { help: boolean, version: boolean }

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
  const args = named ? rest : words
  const read = <T extends Record<string, { type: 'string' | 'boolean' }>>(options: T) => {
    try {
      return parseArgs({ args, options: { ...options, ...everywhere }, strict: true, allowPositionals: false }).values
    } catch (error) {
      throw new UsageError((error as Error).message)
    }
  }

  const values = read({ ...sandboxOptions, config: string, listen: string, cost: string, key: string, demo: boolean })
  if (values.help) return { name: 'help' }
  if (values.version) return { name: 'version' }
  const allowed = options.get(name)
  if (!allowed) throw new UsageError(`There is no command ${name}.`)
  const stray = Object.keys(values).find((option) => !allowed.includes(option))
  if (stray !== undefined) throw new UsageError(`The command ${name} takes no --${stray}.`)
  if (values.config === '') throw new UsageError('--config needs the name of a file.')

  switch (name) {
    case 'sandbox': return { name, options: readSandboxOptions(values, environment) }
    case 'token': return { name, cost: whole('--cost', values.cost ?? '10', 4, 12) }
    case 'check':
      if (values.config === undefined) throw new UsageError('The command check needs --config FILE.')
      return { name, config: values.config }
    default: return { name: 'serve', ...serveOptions(values) }
  }
}

const options = new Map(Object.entries({
  serve: ['config', 'listen', 'key', 'demo'], sandbox: Object.keys(sandboxOptions), token: ['cost'], check: ['config']
}))

interface ServeValues { config?: string, listen?: string, key?: string, demo?: boolean }

/** @throws {UsageError} when they contradict one another */
function serveOptions ({ config, listen: text, key, demo }: ServeValues) {
  const listen = address(text)
  if (key === '') throw new UsageError('--key needs a key.')
  if (key !== undefined && demo) throw new UsageError('--demo has a key of its own: leave out --key.')
  if (config !== undefined && (key !== undefined || demo)) {
    throw new UsageError(`--${demo ? 'demo' : 'key'} is for the sandbox: leave out --config.`)
  }
  if (demo && listen !== undefined && !isLoopback(listen.host)) {
    throw new UsageError('--demo has a key that everybody knows: with --listen, name a loopback address.')
  }
  return { config, listen, key: demo ? DEMO_KEY : key }
}

function address (text: string | undefined) {
  try {
    return text === undefined ? undefined : listenAddressOf(text)
  } catch {
    throw new UsageError('--listen must be HOST:PORT or :PORT.')
  }
}
