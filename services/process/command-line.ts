import { parseArgs } from 'node:util'
import { listenAddressOf } from '../configuration/index.js'

export const HELP = `spot-api: one REST door in front of Spot for AWS Elastigroups and managed instances

Usage
  spot-api [serve] [--config FILE] [--listen HOST:PORT]
      Starts the server. The default configuration is config/config.json; without one it starts on the embedded
      sandbox, a simulated Spot, on 127.0.0.1:8080.
  spot-api sandbox [--port N]
      Starts only the simulated Spot API, for other clients. Default: port 9900.
  spot-api token [--cost 4..12]
      Reads a key from standard input and prints the X-Auth-Token value for it. Default: cost 10.
  spot-api check --config FILE
      Checks a configuration and prints what is wrong with it.

  --help     this help
  --version  the version

From a checkout: npm start -- --config FILE, npm run sandbox -- --port N, npm run -s token, npm run check -- …
`

export type Command =
  | { name: 'serve', config: string | undefined, listen: { host: string, port: number } | undefined }
  | { name: 'sandbox', port: number }
  | { name: 'token', cost: number }
  | { name: 'check', config: string }
  | { name: 'help' }
  | { name: 'version' }

const string = { type: 'string' } as const
const boolean = { type: 'boolean' } as const
const everywhere = { help: boolean, version: boolean }

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
  const args = named ? rest : words
  const read = <T extends Record<string, { type: 'string' }>>(options: T) => {
    try {
      return parseArgs({ args, options: { ...options, ...everywhere }, strict: true, allowPositionals: false }).values
    } catch (error) {
      throw new UsageError((error as Error).message)
    }
  }

  const values = read({ config: string, listen: string, port: string, cost: string })
  if (values.help) return { name: 'help' }
  if (values.version) return { name: 'version' }
  const allowed = options.get(name)
  if (!allowed) throw new UsageError(`There is no command ${name}.`)
  const stray = Object.keys(values).find((option) => !allowed.includes(option))
  if (stray !== undefined) throw new UsageError(`The command ${name} takes no --${stray}.`)
  if (values.config === '') throw new UsageError('--config needs the name of a file.')

  switch (name) {
    case 'sandbox': return { name, port: whole('--port', values.port ?? '9900', 0, 65_535) }
    case 'token': return { name, cost: whole('--cost', values.cost ?? '10', 4, 12) }
    case 'check':
      if (values.config === undefined) throw new UsageError('The command check needs --config FILE.')
      return { name, config: values.config }
    default: return { name: 'serve', config: values.config, listen: address(values.listen) }
  }
}

const options = new Map(Object.entries({
  serve: ['config', 'listen'], sandbox: ['port'], token: ['cost'], check: ['config']
}))

function whole (option: string, text: string, least: number, most: number): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= least && value <= most) return value
  throw new UsageError(`${option} must be a whole number from ${least} to ${most}.`)
}

function address (text: string | undefined) {
  try {
    return text === undefined ? undefined : listenAddressOf(text)
  } catch {
    throw new UsageError('--listen must be HOST:PORT or :PORT.')
  }
}
