import { parseArgs } from 'node:util'
import { listenAddressOf } from '../configuration/index.js'

export const HELP = `spot-api: one REST door in front of Spot for AWS Elastigroups and managed instances

Usage
  spot-api [serve] [--config FILE] [--listen HOST:PORT | --port N]
      Starts the server. The default configuration is config/config.json; without one it starts on the embedded
      sandbox, a simulated Spot, on 127.0.0.1:8080.
  spot-api sandbox [--listen HOST:PORT | --port N]
      Starts only the simulated Spot API, for other clients. Default: 127.0.0.1:9900.
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
  | { name: 'serve', config: string | undefined, listen: Listen }
  | { name: 'sandbox', listen: Listen }
  | { name: 'token', cost: number }
  | { name: 'check', config: string, connect: boolean }
  | { name: 'help' }
  | { name: 'version' }

const string = { type: 'string' } as const
const boolean = { type: 'boolean' } as const
const all = {
  config: string,
  listen: string,
  port: string,
  cost: string,
  connect: boolean,
  help: { ...boolean, short: 'h' },
  version: { ...boolean, short: 'v' }
} as const

/** A command line that is not valid; the message says why. */
export class UsageError extends Error {}

/**
 * Reads a command line.
 *
 * @param words the arguments
 * @throws {UsageError} when they are not valid
 */
export function commandOf (words: string[]): Command {
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
    case 'sandbox': return { name, listen: listenOf(values) }
    case 'token': return { name, cost: whole('--cost', values.cost ?? '10', 4, 12) }
    case 'check':
      if (values.config === undefined) throw new UsageError('The command check needs --config FILE.')
      return { name, config: values.config, connect: values.connect ?? false }
    default: return { name: 'serve', config: values.config, listen: listenOf(values) }
  }
}

const options = new Map(Object.entries({
  serve: ['config', 'listen', 'port'], sandbox: ['listen', 'port'], token: ['cost'], check: ['config', 'connect']
}))

function read (args: string[]) {
  try {
    return parseArgs({ args, options: all, strict: true, allowPositionals: false }).values
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

function listenOf ({ listen, port }: { listen?: string, port?: string }): Listen {
  if (listen !== undefined && port !== undefined) throw new UsageError('--listen has a port: leave --port out.')
  if (port !== undefined) return { port: whole('--port', port, 0, 65_535) }
  try {
    return listen === undefined ? {} : listenAddressOf(listen)
  } catch {
    throw new UsageError('--listen must be HOST:PORT or :PORT.')
  }
}

function whole (option: string, text: string, least: number, most: number): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= least && value <= most) return value
  throw new UsageError(`${option} must be a whole number from ${least} to ${most}.`)
}
