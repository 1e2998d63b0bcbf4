#!/usr/bin/env node
// `npm run fuzz [-- --seconds N] [-- --seed N]`: a public fuzzer against the server in front of a sandbox. See --help.
import { spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { hash } from '@node-rs/bcrypt'

const FUZZER = 'schemathesis==4.32.5'
const KEY = 'the-key-of-the-fuzzer'
const HELP = `Sends requests that the document allows and others, and compares the replies with the document

Usage
  npm run fuzz [-- --seconds N] [-- --seed N]

  --seconds N  how long requests are sent; default: 600
  --seed N     where the random requests begin; default: another one each time
  --help       this page

It starts a sandbox and the server in front of it, and gets ${FUZZER} into a temporary folder: all of its checks, the
stateful phase included. Needs Python 3 with venv, and its package index; without them it says so and is no failure.
The exit code is 0 if nothing was found. Ctrl-C ends it all and leaves nothing behind.
`

const root = join(import.meta.dirname, '..')
const print = (words) => process.stdout.write(`${words}\n`)

/** Leaders of process groups. None survives this process, but for a `kill -9` of it. */
const running = new Set()
let folder
process.on('exit', () => {
  for (const { pid } of running) {
    try {
      process.kill(-pid, 'SIGKILL')
    } catch {} // none is left
  }
  if (folder) rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
})
for (const [signal, code] of [['SIGINT', 130], ['SIGTERM', 143]]) process.once(signal, () => process.exit(code))

function start (program, words, stdio) {
  const env = { ...process.env, SCHEMATHESIS_HOOKS: join(root, 'scripts/fuzz.py') }
  const child = spawn(program, words, { cwd: folder, env, detached: true, stdio: ['ignore', stdio, stdio] })
  running.add(child)
  child.on('error', () => {}) // `close` follows
  child.once('close', () => running.delete(child))
  return child
}

/** @returns the exit code; negative where it could not be started */
const codeOf = (program, words, stdio = 'ignore') =>
  new Promise((resolve) => { start(program, words, stdio).once('close', resolve) })

/** @returns the fuzzer's command, or why there is none */
async function fuzzer () {
  const environment = join(folder, 'python')
  if (await codeOf('python3', ['-m', 'venv', environment]) !== 0) return { lacks: 'there is no Python 3 with venv' }
  const command = join(environment, 'bin/schemathesis')
  const words = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', FUZZER]
  if (await codeOf(join(environment, 'bin/python'), words) !== 0) return { lacks: `${FUZZER} cannot be installed` }
  return { command }
}

/** The server as it ships, in front of a sandbox without a rate limit worth mentioning. */
async function serve () {
  const { startSandbox } = await import(join(root, 'dist/sandbox/index.js'))
  const { url: endpoint, accounts: [account] } = await startSandbox({ rateLimit: 1e9 })
  const log = join(folder, 'log')
  writeFileSync(join(folder, 'config.json'), JSON.stringify({
    listenAddress: '127.0.0.1:0',
    accounts: { demo: { ...account, endpoint, region: 'us-east-1', defaultVPC: 'vpc-0a1b2c3d4e5f60718' } },
    token: KEY,
    audit: { file: 'audit.log' }
  }))
  const server = start(process.execPath, [join(root, 'dist/server.js'), '--config', 'config.json'], openSync(log, 'w'))
  const lines = () => readFileSync(log, 'utf8').split('\n').filter(Boolean)
  for (;;) {
    const [, url] = /"msg":"Server listening at (\S+)"/.exec(lines().join('\n')) ?? []
    if (url) return { url, lines, server }
    if (server.exitCode !== null) throw new Error(lines().join('\n'))
    await sleep(50)
  }
}

async function fuzz ({ seconds, seed }) {
  folder = mkdtempSync(join(tmpdir(), 'spot-api-fuzz-'))
  const { command, lacks } = await fuzzer()
  if (lacks) return print(`skipped: ${lacks}`)
  const { url, lines, server } = await serve()
  print(`${FUZZER}, ${seconds} seconds, --seed ${seed}`)
  const code = await codeOf(command, [
    '--config-file', join(root, 'scripts/fuzz.toml'), 'run', `${url}/v1/spot/openapi.json`,
    '--header', `X-Auth-Token:${await hash(KEY, 4)}`, '--checks', 'all',
    '--phases', 'examples,coverage,fuzzing,stateful', '--max-time', seconds, '--seed', seed,
    '--continue-on-failure', '--no-color', '--generation-database', 'none'
  ], 'inherit')
  const errors = lines().filter((line) => line.includes('"unexpected error"'))
  const requests = lines().filter((line) => line.includes('"request ended"'))
  print(`${requests.length} requests; ${errors.length} unexpected errors in the log`)
  for (const line of errors.slice(0, 20)) print(line)
  const ended = server.exitCode ?? server.signalCode
  if (ended !== null) print(`The server ended: ${ended}.`)
  process.exitCode = code === 0 && errors.length === 0 && ended === null ? 0 : 1
}

function numberOf (option, text, least) {
  if (/^\d{1,9}$/.test(text) && Number(text) >= least) return text
  throw new Error(`--${option} must be a whole number, at least ${least}.`)
}

try {
  const { values: { seconds, seed, help } } = parseArgs({
    options: {
      seconds: { type: 'string', default: '600' },
      seed: { type: 'string', default: String(randomInt(1e9)) },
      help: { type: 'boolean' }
    }
  })
  if (help) print(HELP)
  else await fuzz({ seconds: numberOf('seconds', seconds, 1), seed: numberOf('seed', seed, 0) })
  process.exit()
} catch ({ message }) {
  process.stderr.write(`${message}\n`)
  process.exit(2)
}
