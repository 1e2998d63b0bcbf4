// A small installation on one machine: nginx, two replicas, their Redis, and a simulated Spot.
import { fork, spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, openSync, closeSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hash } from '@node-rs/bcrypt'
import { Part } from './part.js'

const HERE = import.meta.dirname
const SERVER = join(HERE, '../../dist/server.js')

/** nginx is often where only root looks. */
const ENV = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/usr/local/sbin` }

/** In the order of their ports: nginx.conf and config.json name those that begin at 8080. */
const PARTS = ['nginx', 'replica 1', 'replica 2', 'redis', 'sandbox']

/** Where to get what is not there. @returns nothing where all is there */
export function missing () {
  return [
    { command: 'nginx', version: '-v', packages: 'nginx (apt-get, dnf, brew)' },
    { command: 'redis-server', version: '--version', packages: 'redis-server (apt-get) or redis (dnf, brew)' }
  ].filter(({ command, version }) => spawnSync(command, [version], { env: ENV }).error)
    .map(({ command, packages }) => `There is no ${command}. Install the package ${packages}.`)
}

/**
 * Starts it all, and waits until it answers.
 *
 * @param port of nginx; the others have the next ones. Unless set, whichever are free
 * @param settings of the replicas, beside or instead of those in config.json
 * @param sandbox options of the simulated Spot
 * @param say gets a line for what happens
 * @throws {Error} when something is missing, a port is in use, or a part does not start
 */
export async function startStack ({ port, settings = {}, sandbox = {}, say = () => {} } = {}) {
  const lacks = missing()
  if (lacks.length > 0) throw new Error(lacks.join('\n'))
  const first = port ?? await freePorts()
  const taken = await inUse(first)
  if (taken) throw new Error(`127.0.0.1:${taken} is in use. Choose five others with --port N, the first of them.`)

  const home = mkdtempSync(join(tmpdir(), 'spot-api-local-'))
  const forget = () => rmSync(home, { recursive: true, force: true })
  process.on('exit', forget) // after a second Ctrl-C, too
  chmodSync(home, 0o711) // nginx, where root starts it, works as another user
  mkdirSync(join(home, 'redis'))
  mkdirSync(join(home, 'nginx'))
  const portOf = (name) => first + PARTS.indexOf(name)
  /** A file of this directory, for these ports. */
  const fitted = (file) => readFileSync(join(HERE, file), 'utf8')
    .replace(/127\.0\.0\.1:808(\d)/g, (_, nth) => `127.0.0.1:${first + Number(nth)}`)
  const write = (file, text) => writeFileSync(join(home, file), text)

  const key = randomBytes(18).toString('base64url')
  const config = { ...JSON.parse(fitted('config.json')), ...settings }
  const { demo: account } = config.accounts
  const access = { id: account.id, token: randomBytes(18).toString('hex') }
  const env = { ...ENV, SPOT_API_KEY: key, SPOT_TOKEN: access.token }
  write('config.json', JSON.stringify(config, null, 2))
  write('spot-api.conf', fitted('nginx.conf'))
  write('main.conf', MAIN)

  function part (name, command, args, answers) {
    const log = join(home, `${name.replace(' ', '-')}.log`)
    return new Part({
      name,
      log,
      say,
      answers,
      launch () {
        const file = openSync(log, 'a')
        const options = { cwd: home, env, detached: true, stdio: ['ignore', file, file] }
        const child = command
          ? spawn(command, args, options)
          : fork(args[0], args.slice(1), { ...options, execArgv: [], stdio: [...options.stdio, 'ipc'] })
        closeSync(file)
        return child
      }
    })
  }

  const url = `http://127.0.0.1:${first}`
  const replica = (name) => {
    const address = `127.0.0.1:${portOf(name)}`
    const args = [SERVER, '--config', 'config.json', '--listen', address]
    return part(name, process.execPath, args, () => isOk(`http://${address}/v1/spot/ready`))
  }
  const replicas = [replica('replica 1'), replica('replica 2')]
  const redis = part('redis', 'redis-server', [
    '--bind', '127.0.0.1', '--port', portOf('redis'), '--dir', 'redis',
    // Written to the disk before it counts: a key that is forgotten is a create that happens twice.
    '--appendonly', 'yes', '--appendfsync', 'always', '--save', '', '--maxmemory-policy', 'noeviction'
  ], () => pongs(portOf('redis')))
  const list = `${account.endpoint}/aws/ec2/group?accountId=${access.id}`
  const spot = part('sandbox', undefined, [
    join(HERE, 'sandbox.js'), JSON.stringify({ port: portOf('sandbox'), accounts: [access], ...sandbox })
  ], () => isOk(list, { authorization: `Bearer ${access.token}` }))
  const nginx = part('nginx', 'nginx', ['-p', home, '-c', 'main.conf'], () => isOk(`${url}/v1/spot/ready`))
  const parts = [nginx, ...replicas, redis, spot]

  let over = false
  /** From the door inwards, so that what is under way still has what it needs. A write under way is waited for. */
  async function end () {
    over = true
    await nginx.stop('SIGQUIT') // as soon as it has answered what it has
    await Promise.all(replicas.map((one) => one.stop('SIGINT'))) // without a drain: nobody is left who would notice
    await Promise.all([redis.stop(), spot.stop()])
    process.off('exit', forget)
    forget()
  }

  try {
    await Promise.all([redis.start(), spot.start()])
    await Promise.all(replicas.map((one) => one.start()))
    await nginx.start()
  } catch (error) {
    await end()
    throw error
  }
  return {
    url,
    home,
    parts,
    key,
    token: await hash(key, 10),
    account: { ...access, endpoint: account.endpoint },
    /** Ends a replica in good order and starts it again, as a rolling restart does. @returns its exit code */
    async restart (nth) {
      const code = await replicas[nth].stop()
      if (!over) await replicas[nth].start()
      return code
    },
    kill: (nth) => replicas[nth].kill(),
    stopRedis: (signal) => redis.stop(signal),
    startRedis: () => redis.start(),
    transcript: () => spot.ask({ transcript: true }),
    inject: (fault) => spot.ask({ inject: fault }),
    end
  }
}

/** What is nginx's own, around nginx.conf: all in one directory, and nothing of the machine's. */
const MAIN = `
daemon off;
pid nginx/pid;
error_log stderr;
events { worker_connections 1024; }
http {
  log_format upstream '$time_iso8601 $request_method $uri $status $upstream_addr $upstream_status $request_time';
  access_log nginx-access.log upstream;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((use) => `${use}_temp_path nginx/${use};`).join(' ')}
  include spot-api.conf;
}
`

const isOk = (url, headers = {}) =>
  fetch(url, { headers, signal: AbortSignal.timeout(1000) }).then(async (response) => {
    await response.arrayBuffer()
    return response.ok
  }, () => false)

/** Whether a Redis answers there, and has read what it kept. */
async function pongs (port) {
  const socket = connect(port, '127.0.0.1')
  try {
    socket.write('PING\r\n')
    const [answer] = await once(socket, 'data')
    return String(answer).startsWith('+PONG')
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

/** The first of the ports from this one on that somebody listens on. */
async function inUse (first) {
  for (const [nth] of PARTS.entries()) {
    const server = createServer()
    try {
      await once(server.listen(first + nth, '127.0.0.1'), 'listening')
    } catch {
      return first + nth
    } finally {
      server.close()
    }
  }
}

/** Below those that systems give to outgoing connections, which could take the port of a part that is away. */
async function freePorts () {
  for (;;) {
    const first = 20_000 + PARTS.length * Math.floor(Math.random() * 2000)
    if (!await inUse(first)) return first
  }
}
