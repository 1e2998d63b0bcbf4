import { UsageError, whole } from './option-values.js'

interface Option {
  /** What stands for its value in the help; none for a switch. */
  value?: string
  help: string
  /** Reads its text; `name` is the option or the variable. */
  read: (text: string, name: string) => unknown
  /** Its text if it is not given. */
  otherwise?: string
}

const flag = (text: string, name: string) => {
  if (text === 'true' || text === 'false') return text === 'true'
  throw new UsageError(`${name} must be true or false.`)
}

const filled = (text: string, name: string) => {
  if (/^[^\s\0]+$/.test(text)) return text
  throw new UsageError(`${name} needs a value without spaces.`)
}

/** The options of `spot-api sandbox`. Each has an environment variable, too: `SPOT_API_SANDBOX_LIST_SHAPE`. */
const OPTIONS = {
  port: {
    value: 'N',
    help: 'where it listens on 127.0.0.1; 0 is any free port',
    read: (text: string, name: string) => whole(name, text, 0, 65_535),
    otherwise: '9900'
  },
  token: { value: 'T', help: 'the only token that it takes; otherwise it takes any', read: filled },
  account: { value: 'ID', help: 'the id of its account', read: filled, otherwise: 'act-5a9db0c5' },
  limit: {
    value: 'N',
    help: 'calls per minute, for each operation and token',
    read: (text: string, name: string) => whole(name, text, 1, 1_000_000_000),
    otherwise: '1000'
  },
  'list-shape': {
    value: 'config|flat',
    help: 'how managed instances are listed: as documented, or for the Go SDK',
    read: (text: string, name: string) => {
      if (text === 'config' || text === 'flat') return text
      throw new UsageError(`${name} must be config or flat.`)
    },
    otherwise: 'config'
  },
  empty: { help: 'start without the sample groups and instances', read: flag, otherwise: 'false' },
  speed: {
    value: 'N',
    help: 'how many times as fast as real time its clock runs',
    read: (text: string, name: string) => {
      const value = Number(text)
      if (/^\d+(\.\d+)?$/.test(text) && value > 0 && value <= 1_000_000) return value
      throw new UsageError(`${name} must be a number above 0, up to 1000000.`)
    },
    otherwise: '1'
  },
  log: { help: 'print a line for each call', read: flag, otherwise: 'false' },
  state: {
    value: 'FILE',
    help: 'read the state from this file, if it exists, and keep it there',
    read: (text: string, name: string) => {
      if (text.trim() !== '') return text
      throw new UsageError(`${name} needs the name of a file.`)
    }
  }
} satisfies Record<string, Option>

type Options = typeof OPTIONS
type Value<O extends Option> = ReturnType<O['read']> | (O extends { otherwise: string } ? never : undefined)

/** What `spot-api sandbox` is given, by the names of its options. */
export type SandboxOptions = { [N in keyof Options]: Value<Options[N]> }

const options = Object.entries(OPTIONS) as [keyof Options, Option][]

/** For `parseArgs`: those with a value are strings, the others switches. */
export const sandboxOptions = Object.fromEntries(options.map(([name, { value }]) =>
  [name, { type: value === undefined ? 'boolean' : 'string' }])) as
  { [N in keyof Options]: { type: Options[N] extends { value: string } ? 'string' : 'boolean' } }

/** What Kubernetes puts into SPOT_API_SANDBOX_PORT where a Service is called spot-api-sandbox. */
const SERVICE_LINK = /^tcp:\/\//

const variableOf = (name: string) => `SPOT_API_SANDBOX_${name.toUpperCase().replaceAll('-', '_')}`

/**
 * The options, from the command line, else from the environment, else by default. An empty variable is none, nor is a
 * service link.
 *
 * @throws {UsageError} when one is not valid
 */
export function readSandboxOptions (
  given: Record<string, string | boolean | undefined>, environment: NodeJS.ProcessEnv
): SandboxOptions {
  return Object.fromEntries(options.map(([name, { read, otherwise }]) => {
    const variable = environment[variableOf(name)] ?? ''
    const [text, source] = given[name] === undefined
      ? [variable === '' || SERVICE_LINK.test(variable) ? otherwise : variable, variableOf(name)]
      : [String(given[name]), `--${name}`]
    return [name, text === undefined ? undefined : read(text, source)]
  })) as SandboxOptions
}

/** The lines of the help about them. */
export const SANDBOX_HELP = options.map(([name, { value, help, otherwise }]) => {
  const word = `--${name}${value === undefined ? '' : ` ${value}`}`
  return `        ${word.padEnd(25)} ${help}${value === undefined || otherwise === undefined ? '' : ` (${otherwise})`}`
}).join('\n')
