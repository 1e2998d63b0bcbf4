// Written by hand; everything else here is generated.
import { hash } from 'bcryptjs'
import { createClient, type Client } from './client/index.js'
import type { Problem, Readiness } from './types.gen.js'

export * from './index.js'
export type { Client as SpotApi } from './client/index.js'

export interface Connection {
  /** Origin of the server, such as `https://spot.example.org`. */
  url: string
  /** The pre-shared key. A token is made of it once, which takes a moment. */
  key?: string
  /** Instead of the key: a value for `X-Auth-Token`, as `spot-api token` makes it. */
  token?: string
  /** Seconds in which a read or a create is repeated if it fails for now. Default 120; 0: never. */
  patience?: number
  fetch?: typeof fetch
}

/** Thrown when the server answers with a problem. Without any answer it is the error of `fetch`. */
export class SpotApiError extends Error {
  override name = 'SpotApiError'

  /** `problem.type` says what it is; a newer server may answer types that this package does not know. */
  constructor (readonly problem: Problem, readonly response: Response) {
    super(`${problem.status} ${problem.title}: ${problem.detail}${problem.hint ? ` ${problem.hint}` : ''}`)
  }
}

/** Hand the result to each function: `getElastigroup({ client, path: … })`. */
export async function connect (
  { url, key, token, patience = 120, fetch = globalThis.fetch }: Connection
): Promise<Client> {
  const secret = token ?? (key === undefined ? undefined : await hash(key, 10))
  if (secret === undefined) throw new TypeError('connect() needs a key or a token.')
  if (!/^https?:\/\//i.test(url)) throw new TypeError(`The url must begin with http:// or https://, not ${url}`)
  const client = createClient({
    baseUrl: url.replace(/\/+$/, ''),
    headers: { 'X-Auth-Token': secret },
    throwOnError: true,
    fetch: repeating(fetch, patience * 1000)
  })
  client.interceptors.error.use((error, response) => response === undefined
    ? error
    : new SpotApiError(problemOf(error, response), response))
  return client
}

/**
 * Waits until a group or an instance is up, and asks as often as the server says.
 *
 * @param ask such as `() => getElastigroupReadiness({ client, path })`
 * @param options seconds, default 1800, and a signal that ends the waiting
 * @throws SpotApiError when asking again is of no use
 * @throws Error when it is not up after so many seconds
 */
export async function waitUntilReady (
  ask: () => Promise<{ data: Readiness, response: Response }>,
  { seconds = 1800, signal }: { seconds?: number, signal?: AbortSignal } = {}
): Promise<Readiness> {
  const end = Date.now() + seconds * 1000
  for (;;) {
    const { data, response } = await ask()
    if (data.ready) return data
    const pause = retryAfter(response) ?? 15_000
    if (Date.now() + pause > end) throw new Error(`It is not ready after ${seconds} seconds: ${data.reasons.join(' ')}`)
    await sleep(pause, signal)
  }
}

const KEY = 'Idempotency-Key'
const CREATES = /\/(elastigroups|instances|rolls|imports)$/
/** Failures that pass. So does a 409 with Retry-After: the first request with this key is under way. */
const FOR_NOW = [429, 502, 503, 504]

/** A `fetch` that gives each create an Idempotency-Key, and sends reads and creates again while they fail for now. */
function repeating (fetch: typeof globalThis.fetch, patience: number): typeof globalThis.fetch {
  return async (input, init) => {
    const request = new Request(input, init)
    const isCreate = request.method === 'POST' && CREATES.test(new URL(request.url).pathname)
    if (isCreate && !request.headers.has(KEY)) request.headers.set(KEY, crypto.randomUUID())
    if (!isCreate && request.method !== 'GET') return await fetch(request)
    const end = Date.now() + patience
    for (let pause = 500; ; pause *= 2) {
      const answer = await wholeAnswer(fetch, request).catch((error: unknown) => ({ error }))
      const asked = 'error' in answer ? undefined : retryAfter(answer)
      const isForNow = 'error' in answer
        ? !request.signal.aborted
        : FOR_NOW.includes(answer.status) || (answer.status === 409 && asked !== undefined)
      if (!isForNow || Date.now() + (asked ?? pause) > end) {
        if ('error' in answer) throw answer.error
        return answer
      }
      await sleep(asked ?? pause, request.signal)
    }
  }
}

/** The answer with its body in memory: an answer that breaks off is lost, too. */
async function wholeAnswer (fetch: typeof globalThis.fetch, request: Request): Promise<Response> {
  const answer = await fetch(request.clone())
  await answer.clone().arrayBuffer()
  return answer
}

/** Milliseconds, if the answer has it in seconds. */
function retryAfter ({ headers }: Response): number | undefined {
  const seconds = headers.get('Retry-After') ?? ''
  return /^\d+$/.test(seconds) ? Number(seconds) * 1000 : undefined
}

/** @throws the reason of the signal, as soon as it aborts */
const sleep = (milliseconds: number, signal?: AbortSignal) => new Promise<void>((resolve, reject) => {
  const abort = () => { clearTimeout(timer); reject(signal?.reason) }
  const timer = setTimeout(() => { signal?.removeEventListener('abort', abort); resolve() }, milliseconds)
  if (signal?.aborted) abort()
  else signal?.addEventListener('abort', abort)
})

/** The problem of an answer. A proxy on the way may answer without one: then it is made of the status. */
function problemOf (error: unknown, { status, statusText, url }: Response): Problem {
  if (typeof error === 'object' && error !== null && 'type' in error && 'title' in error) return error as Problem
  const detail = typeof error === 'string' ? error.slice(0, 200) : ''
  const problem = { type: 'about:blank', title: statusText, status, detail, instance: url, requestId: '' }
  return problem as unknown as Problem
}
