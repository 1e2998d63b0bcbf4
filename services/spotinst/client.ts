import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import got, { RequestError, type Got, type Response } from 'got'
import type { Quota } from '../budget/index.js'
import { isWrite, type Call, type SpotAccount } from './call.js'
import { openEnvelope, upstreamOf, type Envelope } from './envelope.js'
import { SpotError, type SpotFailure } from './error.js'
import { outcomeOfStatus, outcomeOfTransfer } from './outcomes.js'
import { quotaOf, secondsOf } from './quota.js'
import { requestOf } from './request.js'

/** Bytes of an answer that are read at most. */
const LARGEST_ANSWER = 64 * 1024 * 1024

/**
 * Milliseconds at most for each step until a connection stands, and at most a third of the time there is: what fails
 * there was never sent, and may be tried again.
 */
const CONNECTING = 3000

type Hear = (quota: Quota | undefined) => void

/** The HTTP client of all accounts: reads share kept-alive connections, a write opens its own. */
export interface Client {
  /**
   * One request, one answer.
   *
   * @param timeout milliseconds for all of it
   * @param hear told what an answer says of the rate limit, whatever else it says
   * @throws {SpotError} for everything but a 200 with an envelope
   */
  exchange (account: SpotAccount, call: Call, timeout: number, hear: Hear): Promise<Envelope>
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
  const reads = shared.extend({ agent: agents })
  const writes = shared.extend({ agent: single })

  return {
    exchange: (account, call, timeout, hear) => exchange(isWrite(call) ? writes : reads, account, call, timeout, hear),
    close () {
      agents.http.destroy()
      agents.https.destroy()
    }
  }
}

async function exchange (
  client: Got,
  account: SpotAccount,
  call: Call,
  timeout: number,
  hear: Hear
): Promise<Envelope> {
  const { operation, method, envelope: around } = call
  const { url, headers, body } = requestOf(account, call)
  const failure = (details: Pick<SpotFailure, 'outcome' | 'code' | 'upstream' | 'retryAfter' | 'limit'>) =>
    new SpotError({ operation, write: isWrite(call), envelope: around, ...details })

  let response: Response<string>
  try {
    const step = Math.min(CONNECTING, timeout / 3)
    const pending = client(url, {
      method,
      timeout: { lookup: step, connect: step, secureConnect: step, request: timeout },
      headers,
      ...body !== undefined && { body }
    })
    pending.on('downloadProgress', ({ transferred }) => {
      if (transferred > LARGEST_ANSWER) pending.cancel('too large')
    })
    response = await pending
  } catch (error) {
    const { code, timings } = error instanceof RequestError ? error : { code: 'ERR_CANCELED', timings: undefined }
    if (code === 'ERR_CANCELED') throw failure({ outcome: 'unreadable', code: 'ERR_TOO_LARGE' })
    const connected = url.protocol === 'https:' ? timings?.secureConnect : timings?.connect
    throw failure({ outcome: outcomeOfTransfer(code, connected !== undefined), code })
  }

  const status = response.statusCode
  const quota = quotaOf(status, response.headers)
  hear(quota)
  const envelope = await openEnvelope(response.headers['content-type'], response.body)
  if (status === 200 && envelope) return envelope
  const upstream = upstreamOf(status, envelope)
  const outcome = outcomeOfStatus(status, envelope && (upstream.errors ?? []).map(({ code }) => code))
  if (outcome !== 'rate-limited' || !quota?.blocked) throw failure({ outcome, upstream })
  throw failure({ outcome, upstream, limit: quota.limit, retryAfter: secondsOf(quota.reset) })
}
