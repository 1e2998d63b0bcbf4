import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import type { Test } from 'tap'
import { build, type BuildOptions } from '../app.js'
import { resolveSettings, type Configuration } from '../services/configuration/index.js'
import { startSandbox, type Sandbox, type SandboxOptions } from '../sandbox/index.js'
import { faultsOfReply } from './contract-check.js'
import { ACCOUNT, KEY, TOKEN } from './keys.js'

export { ACCOUNT, KEY, TOKEN }

export interface Reply {
  status: number
  headers: IncomingHttpHeaders
  text: string
  // Tests look into replies of every shape; the contract check has seen each of them.

  json: any
}

export interface RequestOptions {
  /** Sent as JSON, unless it is a text, which is sent as it is. */
  body?: unknown
  headers?: Record<string, string>
  /** X-Auth-Token; default: a valid one; null: none. */
  token?: string | null
}

export interface Gateway {
  url: string
  /** Sends a path as it is written (no normalization) and checks the reply against the contract. */
  request (method: string, path: string, options?: RequestOptions): Promise<Reply>
  /** Lines of the log. */
  log: string[]
  app: Awaited<ReturnType<typeof build>>
}

export interface GatewayOptions extends BuildOptions {
  configuration?: Partial<Configuration>
  endpoint?: string
}

/**
 * The gateway as production builds it, on a free port, with one account `demo` and a state of its own. Closed when the
 * test ends.
 */
export async function startGateway (
  t: Test,
  { configuration, endpoint, ...options }: GatewayOptions
): Promise<Gateway> {
  const log: string[] = []
  const directory = join(tmpdir(), `spot-api-test-${randomUUID()}`)
  const { configuration: defaults } = resolveSettings({
    accounts: {
      [ACCOUNT]: { id: 'act-5a9db0c5', token: 'vendor-token-for-tests', endpoint, defaultVPC: 'vpc-00000001' }
    },
    token: KEY,
    state: { directory },
    // Tests look at what each call does; those of the reads set it.
    reads: { freshFor: 0, staleFor: 0 },
    settleSeconds: 0.2,
    drainSeconds: 0
  }, { name: 'the tests', folder: directory, environment: {} })
  const app = await build({ ...defaults, audit: undefined, ...configuration }, { log: linesTo(log), ...options })
  t.teardown(async () => {
    await app.close()
    await rm(directory, { recursive: true, force: true })
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo

  return {
    url: `http://127.0.0.1:${port}`,
    app,
    log,
    async request (method, path, options) {
      const reply = await send(port, method, path, options)
      const faults = faultsOfReply(method, path, reply)
      for (const fault of faults) t.fail(`${method} ${path.slice(0, 100)} answered ${reply.status}: ${fault}`)
      return reply
    }
  }
}

/** The gateway in front of a fresh sandbox. */
export async function start (
  t: Test,
  { sandbox: sandboxOptions, ...options }: GatewayOptions & { sandbox?: SandboxOptions } = {}
): Promise<Gateway & { sandbox: Sandbox }> {
  const sandbox = await startSandbox({
    accounts: [{ id: 'act-5a9db0c5', token: 'vendor-token-for-tests' }], ...sandboxOptions
  })
  t.teardown(() => sandbox.close())
  return { ...await startGateway(t, { endpoint: sandbox.url, ...options }), sandbox }
}

function send (port: number, method: string, path: string, { body, headers, token = TOKEN }: RequestOptions = {}) {
  const payload = body === undefined || typeof body === 'string' ? body : JSON.stringify(body)
  return new Promise<Reply>((resolve, reject) => {
    const request = httpRequest({
      host: '127.0.0.1',
      port,
      method,
      path,
      headers: {
        ...token !== null && { 'x-auth-token': token },
        ...payload !== undefined && {
          'content-type': 'application/json', 'content-length': Buffer.byteLength(payload)
        },
        ...headers
      }
    }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const text = decoded(Buffer.concat(chunks), response.headers['content-encoding']).toString()
        const isJson = text !== '' && /json/.test(response.headers['content-type'] ?? '')
        const json = isJson ? JSON.parse(text) : undefined
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json })
      })
    })
    request.on('error', reject)
    request.end(payload)
  })
}

const decoders: Record<string, (bytes: Buffer) => Buffer> = { br: brotliDecompressSync, gzip: gunzipSync }

/** Bytes without their coding. A HEAD has none. */
export const decoded = (bytes: Buffer, coding = '') => bytes.length === 0 ? bytes : decoders[coding]?.(bytes) ?? bytes

const linesTo = (lines: string[]) => new Writable({
  write (chunk: Buffer, _, done) {
    lines.push(...chunk.toString().split('\n').filter(Boolean))
    done()
  }
})
