import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import got, { RequestError, type Got, type Response } from 'got'
import { openEnvelope, upstreamOf, type Envelope } from './envelope.js'
import { SpotError, type SpotFailure } from './error.js'
import { outcomeOfStatus, outcomeOfTransfer, type Outcome } from './outcomes.js'
import { targetOf } from './target.js'

/** Base URL of the vendor. */
export const SPOT_ENDPOINT = 'https://api.spotinst.io'

/** Milliseconds until a call must have its whole answer. */
export interface Deadlines { read: number, write: number }

export const deadlines: Deadlines = { read: 10_000, write: 60_000 }

/** Bytes of an answer that are read at most. */
const LARGEST_ANSWER = 64 * 1024 * 1024

export interface SpotAccount {
  /** Spot's account id, `act-…`; sent with every call. */
  id: string
  /** Bearer token. */
  token: string
  /** Base URL; the vendor's unless set. */
  endpoint?: string | undefined
}

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'

/** Segments below the endpoint. */
export type Path = readonly string[]

export interface Payload {
  query?: Record<string, string | undefined>
  body?: unknown
  /** The one key that Spot wants around the body: `group` sends `{"group": body}`. */
  envelope?: string
}

export interface Call extends Payload {
  /** Name of the upstream operation, for logs and metrics. */
  operation: string
  method: Method
  path: Path
}

/** What is told of every call once it ended, for logs and metrics. `seconds` is its length. */
export type Observe = (call: { operation: string, outcome: Outcome, seconds: number, error?: SpotError }) => void

/** One HTTP client for all accounts: reads share kept-alive connections, a write opens its own. */
export interface Transport {
  /**
   * @param read what the envelope of a 200 means; may throw a {@link SpotError}
   * @throws {SpotError} when the call does not succeed
   */
  send<T> (account: SpotAccount, call: Call, observe: Observe, read: (envelope: Envelope) => T): Promise<T>
  close (): void
}

export function createTransport (version: string, within: Deadlines = deadlines): Transport {
  const agents = { http: new HttpAgent({ keepAlive: true }), https: new HttpsAgent({ keepAlive: true }) }
  // Node's global agents keep connections alive. Spot may close one just as a write is sent on it: outcome unknown.
  const single = { http: new HttpAgent({ keepAlive: false }), https: new HttpsAgent({ keepAlive: false }) }
  const shared = got.extend({
    retry: { limit: 0 },
    followRedirect: false,
    throwHttpErrors: false,
    headers: { 'user-agent': `spot-api/${version}`, accept: 'application/json' }
  })
  const reads = shared.extend({ timeout: { request: within.read }, agent: agents })
  const writes = shared.extend({ timeout: { request: within.write }, agent: single })

  return {
    async send (account, call, observe, read) {
      const started = performance.now()
      const ended = (outcome: Outcome, error?: SpotError) => {
        const seconds = (performance.now() - started) / 1000
        observe({ operation: call.operation, outcome, seconds, ...error && { error } })
      }
      try {
        const answer = read(await exchange(call.method === 'GET' ? reads : writes, account, call))
        ended('success')
        return answer
      } catch (error) {
        if (error instanceof SpotError) ended(error.outcome, error)
        throw error
      }
    },
    close () {
      agents.http.destroy()
      agents.https.destroy()
    }
  }
}

/** One request, one answer. @throws {SpotError} for everything but a 200 with an envelope */
async function exchange (client: Got, account: SpotAccount, call: Call): Promise<Envelope> {
  const { operation, method, path, query, envelope: around } = call
  const url = targetOf(account.endpoint ?? SPOT_ENDPOINT, path, { ...query, accountId: account.id })
  const failure = (details: Pick<SpotFailure, 'outcome' | 'code' | 'upstream' | 'retryAfter'>) =>
    new SpotError({ operation, write: method !== 'GET', envelope: around, ...details })

  const wrapped = around === undefined ? call.body : { [around]: call.body }
  const body = wrapped === undefined ? undefined : JSON.stringify(wrapped)
  let response: Response<string>
  try {
    const pending = client(url, {
      method,
      headers: {
        authorization: `Bearer ${account.token}`,
        ...body !== undefined && { 'content-type': 'application/json' }
      },
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
  const envelope = openEnvelope(response.headers['content-type'], response.body)
  if (status === 200 && envelope) return envelope
  const upstream = upstreamOf(status, envelope)
  const reset = Number(response.headers['x-ratelimit-reset'] ?? Number.NaN)
  throw failure({
    outcome: outcomeOfStatus(status, envelope && (upstream.errors ?? []).map(({ code }) => code)),
    upstream,
    ...Number.isFinite(reset) && { retryAfter: Math.max(1, Math.ceil(reset)) }
  })
}
