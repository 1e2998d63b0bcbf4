import { setTimeout as sleep } from 'node:timers/promises'
import type { Heard, Place, Refusal } from '../budget/index.js'
import { Breaker } from './breaker.js'
import { isWrite, type Call, type SpotAccount } from './call.js'
import type { Client } from './client.js'
import type { Envelope } from './envelope.js'
import { SpotError, type SpotFailure } from './error.js'
import { outcomes, type Outcome } from './outcomes.js'
import { secondsOf } from './quota.js'
import { RetryBudget } from './retry-budget.js'

/** Milliseconds until a request must be over, whatever calls it makes: one that only reads, one that writes. */
export interface Deadlines { read: number, write: number }

/** Times that a call is sent at most. A delete that failed is sent once more: it can do no harm. */
const ATTEMPTS = { GET: 3, PUT: 3, POST: 3, DELETE: 2 }

/** Milliseconds to wait at most before the second attempt; twice that before the third. */
const PAUSE = 100

/** What is told of every attempt once it ended, for logs and metrics. `seconds` is its length. */
export type Observe = (call: { operation: string, outcome: Outcome, seconds: number, error?: SpotError }) => void

/** Takes a place in Spot's rate limit for one attempt, which must be over by `until`, by `performance.now()`. */
export type Enter = (call: Call, until: number) => Promise<Place | Refusal>

/** Told of an attempt that was sent: the id by which Spot knows it, where Spot said it. */
export type Tell = (requestId: string | undefined) => void

/** Calls of one account to Spot. */
export interface Transport {
  /**
   * @param deadline when the request must be over, by `performance.now()`
   * @param read what the envelope of a 200 means; may throw a {@link SpotError}
   * @param tell told of every attempt that was sent, with the id that Spot gave it
   * @throws {SpotError} when the call does not succeed
   */
  send<T> (call: Call, deadline: number, read: (envelope: Envelope) => T, tell: Tell): Promise<T>
  /** Whether calls are held back, because most failed of late. */
  heldBack (): { reads: boolean, writes: boolean }
}

/**
 * Sends a call as often as is safe: again only with proof that it never left, or when it can do no harm twice
 * (`outcomes.ts` has it row by row), within the deadline, and within the budget.
 *
 * @param load brings the HTTP client, which is not needed before the first call
 * @param enter every attempt passes it: what is never sent counts nowhere
 * @param within reads end by themselves even where the request may go on: it may have a write before it
 */
export function createTransport (
  account: SpotAccount,
  load: () => Promise<Client>,
  enter: Enter,
  observe: Observe,
  within: Deadlines
): Transport {
  const breakers = { reads: new Breaker(), writes: new Breaker() }
  const budget = new RetryBudget()

  async function attempt<T> (
    call: Call, timeout: number, read: (envelope: Envelope) => T, tell: Tell
  ): Promise<T> {
    const until = performance.now() + timeout
    const client = await load()
    const breaker = isWrite(call) ? breakers.writes : breakers.reads
    const wait = breaker.ask()
    if (wait > 0) throw failure(call, 'withheld', { retryAfter: secondsOf(wait) })
    const place = await enter(call, until)
    if ('wait' in place) {
      const { wait, limit } = place
      throw failure(call, 'rate-limited', { retryAfter: secondsOf(wait), limit })
    }

    let heard: Heard
    let requestId: string | undefined
    const started = performance.now()
    const ended = (outcome: Outcome, error?: SpotError) => {
      const seconds = (performance.now() - started) / 1000
      breaker.tell(outcome !== 'success' && outcomes[outcome].breaks)
      observe({ operation: call.operation, outcome, seconds, ...error && { error } })
    }
    try {
      const left = Math.max(1, until - started)
      const envelope = await client.exchange(account, call, left, (quota) => { heard = quota })
      requestId = envelope.request?.id
      const answer = read(envelope)
      ended('success')
      return answer
    } catch (error) {
      if (error instanceof SpotError) {
        requestId ??= error.details.upstream?.requestId
        ended(error.outcome, error)
      }
      if (error instanceof SpotError && error.outcome === 'unsent') heard = 'unsent'
      throw error
    } finally {
      if (heard !== 'unsent') tell(requestId)
      place.settle(heard)
    }
  }

  return {
    async send (call, deadline, read, tell) {
      const ends = isWrite(call) ? deadline : Math.min(deadline, performance.now() + within.read)
      const attempts = ATTEMPTS[call.method]
      let unknown = false
      let last: SpotError | undefined
      budget.call()
      for (let count = 1; ; count++) {
        const left = ends - performance.now()
        if (left <= 0) throw last ?? failure(call, 'unsent')
        try {
          return await attempt(call, timeoutOf(call, left, count === attempts), read, tell)
        } catch (error) {
          if (!(error instanceof SpotError)) throw error
          // The attempt before may have deleted it.
          if (unknown && call.method === 'DELETE' && error.outcome === 'not-found') return read(GONE)
          if (count === attempts || !mayRepeat(call, error) || !budget.take()) {
            // That this attempt changed nothing does not say so of the one before.
            throw unknown && isWrite(call) && HARMLESS.includes(error.outcome) ? last : error
          }
          last = error
          unknown ||= error.outcome !== 'unsent'
          await sleep(Math.random() * Math.min(PAUSE * 2 ** (count - 1), (ends - performance.now()) / 4))
        }
      }
    },

    heldBack: () => ({ reads: breakers.reads.open, writes: breakers.writes.open })
  }
}

/** The answer to a delete that an attempt before has carried out. */
const GONE: Envelope = { response: {}, size: 0 }

/** Outcomes of an attempt that changed nothing. */
const HARMLESS: Outcome[] = ['unsent', 'withheld', 'rate-limited']

const failure = (
  call: Call,
  outcome: 'unsent' | 'withheld' | 'rate-limited',
  details: Pick<SpotFailure, 'retryAfter' | 'limit'> = {}
) => new SpotError({ operation: call.operation, write: isWrite(call), outcome, ...details })

/** Milliseconds an attempt may take: half of what is left where another may follow, else all of it. */
const timeoutOf = ({ method }: Call, left: number, last: boolean) =>
  last || method === 'POST' || method === 'PUT' ? left : left / 2

function mayRepeat ({ method }: Call, { outcome }: SpotError): boolean {
  const again = outcome === 'success' ? 'never' : outcomes[outcome].again
  return again === 'any' || (again === 'harmless' && (method === 'GET' || method === 'DELETE'))
}
