#!/usr/bin/env node
import { existsSync } from 'node:fs'
import { buffer } from 'node:stream/consumers'
import type { FastifyInstance } from 'fastify'
import { sanitizeError } from './services/problems/sanitize-error.js'
import { ConfigurationError } from './services/configuration/error.js'
import type { ReadConfiguration } from './services/configuration/index.js'
import { commandOf, HELP, type Command } from './services/process/command-line.js'
import { UsageError } from './services/process/option-values.js'
import { endInOrder } from './services/process/process-end.js'
import { version } from './services/process/release.js'
import type { Sandbox, SandboxOptions } from './sandbox/index.js'

const DEFAULT_CONFIG = 'config/config.json'

// Loaded when needed, like all that only one command uses: `sandbox` starts three times as fast.
const simulatedSpot = async (options?: SandboxOptions) =>
  (await import('./sandbox/index.js')).startSandbox(options)

function print (words: string): void {
  process.stdout.write(`${words}\n`)
}

async function serve ({ config, listen, key: given }: Extract<Command, { name: 'serve' }>) {
  const [{ readConfiguration }, { standardOutput }, sandboxMode] = await Promise.all([
    import('./services/configuration/index.js'),
    import('./services/process/log.js'),
    import('./services/process/sandbox-mode.js')
  ])
  const file = config ?? (given === undefined && existsSync(DEFAULT_CONFIG) ? DEFAULT_CONFIG : undefined)
  const sandbox = file === undefined ? await simulatedSpot() : undefined
  const key = given ?? sandboxMode.sandboxKey()
  const read = file === undefined ? undefined : readConfiguration(file)
  const configuration = read?.configuration ?? sandboxMode.sandboxConfiguration(sandbox as Sandbox, key)
  const { build } = await import('./app.js')
  const app = await build(configuration, { log: standardOutput() })
  endInOrder(async ({ signal }) => {
    await app.lifecycle.end(signal === 'SIGTERM' || signal === undefined ? configuration.drainSeconds : 0)
    // Last: requests under way still need it.
    await sandbox?.close()
    if (sandbox) await sandboxMode.forget(configuration)
  }, ({ signal, error }) => {
    if (signal) app.log.info({ signal }, 'shutting down')
    // Not fatal: that waits until the log is written, which is for ever where the disk is full.
    else app.log.error(sanitizeError(error), 'shutting down after an error')
  }, read === undefined)
  if (read) await follow(file as string, read, app)
  // A copy: Fastify adds to the object, and a reload would take that for another address.
  const address = await app.listen({ ...configuration.listen, ...listen })
  if (sandbox) print(await sandboxMode.sandboxBanner(address, key))
}

/** Applies the file again whenever it changes, and on SIGHUP. */
async function follow (file: string, read: ReadConfiguration, app: FastifyInstance) {
  const { Reload } = await import('./services/configuration/reload.js')
  const { reloads, lastReload } = app.measurements
  const reload = new Reload(file, read, {
    onChange (configuration, waiting) {
      app.reload.apply(configuration)
      reloads.count('success')
      lastReload.set(1)
      const rest = waiting.length > 0 ? `; restart to apply ${waiting.join(', ')}` : ''
      app.log.info({ waiting }, `configuration reloaded${rest}`)
    },
    onFailure (error) {
      reloads.count('failure')
      lastReload.set(0)
      app.log.error(`the configuration was not reloaded, the earlier one stays in use: ${(error as Error).message}`)
    }
  })
  process.on('SIGHUP', () => {
    reload.now()
    app.reopenAudit()
  })
}

async function sandbox ({ listen, options }: Extract<Command, { name: 'sandbox' }>) {
  const { account, token, state } = options
  const shown = token ?? 'sandbox'
  const { url, close } = await simulatedSpot({
    ...listen,
    accounts: [{ id: account, token: shown }],
    takesAnyToken: token === undefined,
    rateLimit: options.limit,
    listShape: options['list-shape'] === 'flat' ? 'flat' : 'wrapped',
    seed: !options.empty,
    speed: options.speed,
    ...options.log && { log: print },
    ...state !== undefined && { stateFile: state }
  })
  endInOrder(close, ({ error }) => { if (error) process.stderr.write(`${wordsOf(error as StartError)}\n`) })
  print(`
SANDBOX: a simulated Spot API at ${url}${state === undefined ? '' : `, kept in ${state}`}

  accountId  ${account}
  token      ${token ?? 'any'}

Try it:
  curl -H 'Authorization: Bearer ${shown}' '${url}/aws/ec2/group?accountId=${account}'

Ctrl-C ends it.
`)
}

async function token ({ cost }: Extract<Command, { name: 'token' }>) {
  if (process.stdin.isTTY) process.stderr.write('Key, then Enter and Ctrl-D: ')
  const { textOf } = await import('./services/resources/utf8.js')
  const key = textOf(await buffer(process.stdin))?.replace(/\r?\n$/, '')
  if (key === undefined) throw new UsageError('The key is not UTF-8.')
  if (key === '') throw new UsageError('There is no key on standard input. Try: printf %s "$KEY" | spot-api token')
  const { hash } = await import('@node-rs/bcrypt')
  print(await hash(await usable(key), cost))
}

/** @throws {UsageError} for a key that no configuration would take */
async function usable (key: string): Promise<string> {
  const { checkKey } = await import('./services/configuration/index.js')
  try {
    return checkKey(key)
  } catch (error) {
    throw new UsageError(`The key ${(error as Error).message}.`)
  }
}

const run = {
  serve,
  sandbox,
  token,
  async check ({ config, connect }: Extract<Command, { name: 'check' }>) {
    const { readConfiguration } = await import('./services/configuration/index.js')
    const { configuration } = readConfiguration(config)
    const { rightsOf, unreachable, warningsOf } = await import('./services/process/check.js')
    for (const warning of warningsOf(configuration)) process.stderr.write(`Warning: ${warning}\n`)
    const failure = connect ? await unreachable(configuration) : undefined
    if (failure) throw new ConfigurationError(config, [{ pointer: '/state/redis', message: failure }])
    const accounts = Object.keys(configuration.accounts).join(', ')
    print([`${config} can be used. Accounts: ${accounts}.`, ...rightsOf(configuration)].join('\n  '))
  },
  help: () => print(HELP),
  version: () => print(version)
} satisfies { [N in Command['name']]: (command: Extract<Command, { name: N }>) => unknown }

/** Explains a failed start to the person at the terminal; with a stack only where it is our bug. */
function complain (error: unknown): void {
  process.stderr.write(`${wordsOf(error as StartError)}\n`)
  process.exitCode = error instanceof UsageError ? 2 : 1
}

/** With what Node adds when an address cannot be listened on. */
type StartError = NodeJS.ErrnoException & { address?: string, port?: number, hostname?: string }

function wordsOf (error: StartError): string {
  const { code, syscall, message, stack, address, port = 0, hostname } = error
  const another = 'Choose another address with --listen HOST:PORT, or --port N.'
  if (error instanceof UsageError) return `${message}\nSee spot-api --help.`
  // By name: the sandbox, whose class it is, is loaded only by some commands.
  if (error instanceof ConfigurationError || error.name === 'StateError') return message
  if (syscall === 'getaddrinfo') return `The host ${hostname} was not found (${code}). ${another}`
  if (syscall !== 'listen') return stack ?? message
  return code === 'EADDRINUSE'
    ? `${address}:${port} is in use. ${another}`
    : `Cannot listen on ${address}:${port} (${code}). ${another}`
}

try {
  const command = commandOf(process.argv.slice(2), process.env)
  await (run[command.name] as (command: Command) => unknown)(command)
} catch (error) {
  complain(error)
  if (process.exitCode) process.exit()
}
