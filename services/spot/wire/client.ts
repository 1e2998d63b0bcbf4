import { Agent as HttpAgent, type ClientRequest, type IncomingHttpHeaders } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import type { Socket } from 'node:net'
import got, { RequestError, type BeforeRequestHook, type Request, type Response } from 'got'
import { isWrite, kindOf, type Call, type SpotAccount } from '../call.js'
import { SpotError } from '../error.js'
import { outcomeOfTransfer } from './outcomes.js'
import { requestOf } from './request.js'

/** Bytes of an answer that are read at most. */
const LARGEST_ANSWER = 64 * 1024 * 1024

/**
 * Milliseconds: longest time for each of DNS, connect and TLS; at most a third of the call's time. Failures here were
 * never sent, and may be retried.
 */
const CONNECT_STEP = 3000

/** An HTTP answer, not parsed. */
export interface HttpAnswer { status: number, headers: IncomingHttpHeaders, text: string }

/** The HTTP client of all accounts: reads share kept-alive connections, a write opens its own. */
export interface Client {
  /**
   * One request, one answer, whatever its status.
   *
   * @param timeout milliseconds for all of it
   * @throws {SpotError} unsent, interrupted, timeout, or unreadable where the answer is too large
   */
  exchange (account: SpotAccount, call: Call, timeout: number): Promise<HttpAnswer>
  close (): void
}

export function createClient (version: string): Client {
  const agents = { http: new HttpAgent({ keepAlive: true }), https: new HttpsAgent({ keepAlive: true }) }
  // Node's global agents keep connections alive. Spot may close one just as a write is sent on it: outcome unknown.
  const oneCallAgents = { http: new HttpAgent({ keepAlive: false }), https: new HttpsAgent({ keepAlive: false }) }
  const base = got.extend({
    retry: { limit: 0 },
    followRedirect: false,
    throwHttpErrors: false,
    hooks: { beforeRequest: [trimOptions] },
    headers: { 'user-agent': `spot-api/${version}`, accept: 'application/json' }
  })
  const clients = { reads: base.extend({ agent: agents }), writes: base.extend({ agent: oneCallAgents }) }

  return {
    async exchange (account, call, timeout) {
      const { url, headers, body } = requestOf(account, call)
      const step = Math.min(CONNECT_STEP, timeout / 3)
      const stream = clients[kindOf(call)].stream(url, {
        method: call.method,
        timeout: { lookup: step, connect: step, secureConnect: step, request: timeout },
        headers,
        ...body !== undefined && { body }
      })
      // Otherwise got waits for a body.
      if (isWrite(call) && body === undefined) stream.end()
      const hold = isWrite(call) ? holdUntilConnected(stream, url, performance.now() + timeout) : undefined
      try {
        return await readAnswer(stream)
      } catch (error) {
        if (hold?.isLate) throw new SpotError({ call, outcome: 'expired' })
        if (error instanceof RangeError) {
          throw new SpotError({ call, outcome: 'unreadable', code: 'ERR_TOO_LARGE', calls: 1 })
        }
        if (!(error instanceof RequestError)) throw error
        const { code, timings } = error
        const connected = url.protocol === 'https:' ? timings?.secureConnect : timings?.connect
        const outcome = outcomeOfTransfer(code, connected !== undefined)
        throw new SpotError({ call, outcome, code, calls: outcome === 'unsent' ? 0 : 1 })
      }
    },
    // Agents for writes keep no idle sockets.
    close () {
      agents.http.destroy()
      agents.https.destroy()
    }
  }
}

/**
 * Lets no byte of a request leave once its time is over. A process that was frozen wakes up with its connection made,
 * and would write before any timer of its own goes off: by then somebody else may have taken its key over.
 *
 * @param until by performance.now()
 */
function holdUntilConnected (stream: Request, { protocol }: URL, until: number): { isLate: boolean } {
  const result = { isLate: false }
  const hold = (socket: Socket) => {
    socket.cork()
    socket.prependOnceListener(protocol === 'https:' ? 'secureConnect' : 'connect', () => {
      result.isLate = performance.now() >= until
      if (result.isLate) socket.destroy(new Error('too late'))
      else socket.uncork()
    })
  }
  stream.once('request', (request: ClientRequest) => {
    if (request.socket) hold(request.socket)
    else request.once('socket', hold)
  })
  return result
}

/**
 * got makes some forty options for Node, and Node copies what it gets several times: a fifth of a call. If got stops
 * calling this, calls only get slower, and a test in outcomes.test.ts fails.
 */
const trimOptions: BeforeRequestHook = (options) => {
  const { method, headers, agent, url } = options
  const chosen = url?.protocol === 'https:' ? agent.https : agent.http
  Object.assign(options, { createNativeRequestOptions: () => ({ method, headers, agent: chosen }) })
}

/**
 * Reads the whole answer. got's promises do the same, and cost a fifth more.
 *
 * @throws {RequestError} when a part is missing
 * @throws {RangeError} when it is too large
 */
function readAnswer (stream: Request): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    stream.on('data', (chunk: Buffer) => {
      size += chunk.length
      chunks.push(chunk)
      if (size <= LARGEST_ANSWER) return
      stream.destroy()
      reject(new RangeError('too large'))
    })
    stream.on('error', reject)
    stream.once('end', () => {
      const { statusCode, headers } = stream.response as Response
      resolve({ status: statusCode, headers, text: Buffer.concat(chunks, size).toString() })
    })
  })
}
