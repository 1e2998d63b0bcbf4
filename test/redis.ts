import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Test } from 'tap'
import { testDirectory } from './test-directory.js'
import { until } from './until.js'

const REDIS_SERVER = 'redis-server'
const OPENSSL = 'openssl'

const missing = (tool: string) => spawnSync(tool, ['--version']).error ? `there is no ${tool}` : false

/** For tap's `skip`: why tests of Redis cannot run here, or false. */
export const noRedis = missing(REDIS_SERVER)
export const noTls = missing(OPENSSL)

export interface RedisServer {
  port: number
  /** With the password, where there is one. */
  url: string
  /** File of the certificate, where it speaks TLS. */
  certificate: string
  /** Starts it again, empty. */
  start (): Promise<void>
  stop (): Promise<void>
  /** Makes it deaf without closing a connection, as a network does that lost its way. */
  freeze (): void
  thaw (): void
}

export interface RedisOptions {
  password?: string
  /** A user beside the default one, as ACL SETUSER takes it: `name on >password ~spot-api:* +@all`. */
  user?: string
  /** Whether it speaks TLS, with a certificate that it signed itself. */
  tls?: boolean
}

/** A Redis of the test's own, in memory, on a free port of loopback. Stopped when the test ends. */
export async function startRedis (t: Test, { password, user, tls = false }: RedisOptions = {}): Promise<RedisServer> {
  const port = await freePort()
  const directory = testDirectory(t)
  const url = `redis${tls ? 's' : ''}://${password ? `:${encodeURIComponent(password)}@` : ''}127.0.0.1:${port}`
  const certificate = join(directory, 'certificate.pem')
  const key = join(directory, 'key.pem')
  if (tls) selfSigned(certificate, key)
  let server: ChildProcess | undefined

  async function start () {
    const started = server = spawn(REDIS_SERVER, [
      '--bind', '127.0.0.1', '--dir', directory, '--save', '', '--appendonly', 'no',
      ...tls
        ? ['--port', '0', '--tls-port', String(port), '--tls-cert-file', certificate, '--tls-key-file', key,
            '--tls-ca-cert-file', certificate, '--tls-auth-clients', 'no']
        : ['--port', String(port)],
      ...password ? ['--requirepass', password] : [],
      ...user ? ['--user', ...user.split(' ')] : []
    ], { stdio: 'ignore' })
    await until(() => {
      if (started.exitCode !== null) throw new Error(`redis-server ended with ${started.exitCode}`)
      return listens(port)
    })
  }

  async function stop () {
    if (!server || server.exitCode !== null || server.signalCode !== null) return
    const ended = once(server, 'exit')
    server.kill('SIGKILL')
    await ended
  }

  t.teardown(stop)
  await start()
  return {
    port,
    url,
    certificate,
    start,
    stop,
    freeze: () => server?.kill('SIGSTOP'),
    thaw: () => server?.kill('SIGCONT')
  }
}

const selfSigned = (certificate: string, key: string) => execFileSync(OPENSSL, [
  'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=127.0.0.1',
  '-addext', 'subjectAltName=IP:127.0.0.1', '-out', certificate, '-keyout', key
], { stdio: 'ignore' })

/** Whether somebody takes connections there. */
async function listens (port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

async function freePort (): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return port
}
