#!/usr/bin/env node
// Starts a small installation on this machine, and says what you can try on it. See --help.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { startStack } from './stack.js'

const HELP = `spot-api on this machine as it would be in production: nginx, two replicas, a Redis, and a simulated Spot

Usage
  npm run local [-- --port N]

  --port N  port of nginx on 127.0.0.1; default: 8080. The others use the next four ports.
  --help    this page

Needs nginx and redis-server, no containers. What dies is restarted. Ctrl-C ends it all and leaves nothing behind.
`

const print = (words) => process.stdout.write(`${words}\n`)

function portOf (words) {
  const { values: { port, help } } = parseArgs({
    args: words, options: { port: { type: 'string', default: '8080' }, help: { type: 'boolean' } }
  })
  if (help) return undefined
  const number = Number(port)
  if (!/^\d+$/.test(port) || number < 1 || number > 65_531) throw new Error('--port must be a number from 1 to 65531.')
  return number
}

/** What can be typed, and what it does. */
const commands = ({ restart, kill, stopRedis, startRedis }) => ({
  'restart 1': () => restart(0),
  'restart 2': () => restart(1),
  'kill 1': () => kill(0),
  'kill 2': () => kill(1),
  'stop redis': () => stopRedis(),
  'start redis': () => startRedis(),
  pids: () => {}
})

const pidsOf = (parts) => parts.map(({ name, pid }) => `${name} ${pid}`).join(', ')

const banner = ({ url, token, home, account, parts }, words) => `
spot-api is at ${url}/v1/spot, its docs at ${url}/v1/spot/docs

  nginx, then in turn   ${url}
  replicas              ${url.replace(/\d+$/, (port) => `${Number(port) + 1} and ${Number(port) + 2}`)}
  simulated Spot        ${account.endpoint}
  logs, configuration   ${home}
  pids                  ${pidsOf(parts)}

Try it:
  curl -H 'X-Auth-Token: ${token}' ${url}/v1/spot/demo/elastigroups

Break it, and keep calling:
  type ${words.join(', ')},
  or kill -9 any pid: it is restarted. While Redis is away, creates with an Idempotency-Key get 503, and everything else
  still works. The simulated Spot keeps nothing when it dies. nginx-access.log says which replica answered.

Ctrl-C ends it all.
`

async function up (port) {
  const ending = join(import.meta.dirname, '../../dist/services/process/process-end.js')
  if (!existsSync(ending)) throw new Error('The server is not built. Run npm run build first, or use npm run local.')
  const { endInOrder } = await import(ending)
  // A signal during the start takes effect once it has started, so nothing is left half done.
  const starting = startStack({ port, say: (line) => print(line) })
  endInOrder(async ({ error }) => {
    if (error) process.stderr.write(`${error.stack}\n`)
    await (await starting).end()
    print('All has ended.')
  })
  const stack = await starting
  const can = commands(stack)
  print(banner(stack, Object.keys(can)))
  createInterface({ input: process.stdin }).on('line', async (line) => {
    const command = can[line.trim()]
    if (!command) return print(`There is ${Object.keys(can).join(', ')}.`)
    try {
      await command()
      print(pidsOf(stack.parts))
    } catch ({ message }) {
      print(message)
    }
  })
}

try {
  const port = portOf(process.argv.slice(2))
  if (port === undefined) print(HELP)
  else await up(port)
} catch ({ message }) {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}
