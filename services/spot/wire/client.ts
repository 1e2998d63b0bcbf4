import { Agent as HttpAgent, type IncomingHttpHeaders } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import got, { RequestError, type Response } from 'got'
import { kindOf, type Call, type SpotAccount } from '../call.js'
import { SpotError } from '../error.js'
import { outcomeOfTransfer } from './outcomes.js'
import { requestOf } from './request.js'

/** Bytes of an answer that are read at most. */
const LARGEST_ANSWER = 64 * 1024 * 1024

/**
 * Milliseconds at most for each step until a connection stands, and at most a third of the time there is: what fails
 * there was never sent, and may be tried again.
 */
const CONNECTING = 3000

/** An HTTP answer as it came. */
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
  const single = { http: new HttpAgent({ keepAlive: false }), https: new HttpsAgent({ keepAlive: false }) }
  const shared = got.extend({
    retry: { limit: 0 },
    followRedirect: false,
    throwHttpErrors: false,
    headers: { 'user-agent': `spot-api/${version}`, accept: 'application/json' }
  })
  const clients = { reads: shared.extend({ agent: agents }), writes: shared.extend({ agent: single }) }

  return {
    async exchange (account, call, timeout) {
      const { url, headers, body } = requestOf(account, call)
      const step = Math.min(CONNECTING, timeout / 3)
      try {
        const pending = clients[kindOf(call)](url, {
          method: call.method,
          timeout: { lookup: step, connect: step, secureConnect: step, request: timeout },
          headers,
          ...body !== undefined && { body }
        })
        pending.on('downloadProgress', ({ transferred }) => {
          if (transferred > LARGEST_ANSWER) pending.cancel('too large')
        })
        const { statusCode, headers: received, body: text }: Response<string> = await pending
        return { status: statusCode, headers: received, text }
      } catch (error) {
        const { code, timings } = error instanceof RequestError ? error : { code: 'ERR_CANCELED', timings: undefined }
        if (code === 'ERR_CANCELED') {
          throw new SpotError({ call, outcome: 'unreadable', code: 'ERR_TOO_LARGE', calls: 1 })
        }
        const connected = url.protocol === 'https:' ? timings?.secureConnect : timings?.connect
        const outcome = outcomeOfTransfer(code, connected !== undefined)
        throw new SpotError({ call, outcome, code, calls: outcome === 'unsent' ? 0 : 1 })
      }
    },
    close () {
      agents.http.destroy()
      agents.https.destroy()
    }
  }
}
