#!/usr/bin/env node
import { existsSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { hash } from '@node-rs/bcrypt'
import type { FastifyInstance } from 'fastify'
import { sanitizeError } from './services/problems/sanitize-error.js'
import { commandOf, HELP, UsageError, type Command } from './services/process/command-line.js'
import {
  checkKey, ConfigurationError, readConfiguration, type ReadConfiguration
} from './services/configuration/index.js'
import { standardOutput } from './services/process/log.js'
import { endInOrder } from './services/process/process-end.js'
import { version } from './services/process/release.js'
import { forget, sandboxBanner, sandboxConfiguration, sandboxKey } from './services/process/sandbox-mode.js'
import type { Sandbox, SandboxOptions } from './sandbox/index.js'

const DEFAULT_CONFIG = 'config/config.json'

/** Loaded when needed, like the gateway itself: commands that do not serve start three times as fast. */
const simulatedSpot = async (options?: SandboxOptions) =>
  (await import('./sandbox/index.js')).startSandbox(options)

function print (words: string): void {
  process.stdout.write(`${words}\n`)
}

async function serve ({ config, listen }: Extract<Command, { name: 'serve' }>) {
  const file = config ?? (existsSync(DEFAULT_CONFIG) ? DEFAULT_CONFIG : undefined)
  const sandbox = file === undefined ? await simulatedSpot() : undefined
  const key = sandboxKey()
  const read = file === undefined ? undefined : readConfiguration(file)
  const configuration = read?.configuration ?? sandboxConfiguration(sandbox as Sandbox, key)
  const { build } = await import('./app.js')
  const app = await build(configuration, { log: standardOutput() })
  endInOrder(async ({ signal }) => {
    await app.lifecycle.end(signal === 'SIGTERM' || signal === undefined ? configuration.drainSeconds : 0)
    // Last: requests under way still need it.
    await sandbox?.close()
    if (sandbox) await forget(configuration)
  }, ({ signal, error }) => {
    if (signal) app.log.info({ signal }, 'shutting down')
    // Not fatal: that waits until the log is written, which is for ever where the disk is full.
    else app.log.error(sanitizeError(error), 'shutting down after an error')
  }, read === undefined)
  if (read) await follow(file as string, read, app)
  // A copy: Fastify adds to the object, and a reload would take that for another address.
  const address = await app.listen({ ...configuration.listen, ...listen })
  if (sandbox) print(await sandboxBanner(address, key))
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

async function sandbox ({ listen }: Extract<Command, { name: 'sandbox' }>) {
  const { url, accounts, close } = await simulatedSpot({ port: 9900, ...listen })
  endInOrder(close)
  const [account] = accounts
  print(`
SANDBOX: a simulated Spot API at ${url}

  accountId  ${account?.id}
  token      ${account?.token}

Try it:
  curl -H 'Authorization: Bearer ${account?.token}' '${url}/aws/ec2/group?accountId=${account?.id}'

Ctrl-C ends it.
`)
}

async function token ({ cost }: Extract<Command, { name: 'token' }>) {
  if (process.stdin.isTTY) process.stderr.write('Key, then Enter and Ctrl-D: ')
  const key = (await text(process.stdin)).replace(/\r?\n$/, '')
  if (key === '') throw new UsageError('There is no key on standard input. Try: printf %s "$KEY" | spot-api token')
  print(await hash(usable(key), cost))
}

/** @throws {UsageError} for a key that no configuration would take */
function usable (key: string): string {
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
  if (error instanceof ConfigurationError) return message
  if (syscall === 'getaddrinfo') return `The host ${hostname} was not found (${code}). ${another}`
  if (syscall !== 'listen') return stack ?? message
  return code === 'EADDRINUSE'
    ? `${address}:${port} is in use. ${another}`
    : `Cannot listen on ${address}:${port} (${code}). ${another}`
}

try {
  const command = commandOf(process.argv.slice(2))
  await (run[command.name] as (command: Command) => unknown)(command)
} catch (error) {
  complain(error)
  if (process.exitCode) process.exit()
}
