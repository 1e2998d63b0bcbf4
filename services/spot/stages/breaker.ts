import type { Answer } from '../answer.js'
import type { Call } from '../call.js'
import type { Clock } from '../clock.js'
import { SpotError } from '../error.js'
import type { Next } from '../stage.js'
import { outcomes } from '../wire/outcomes.js'
import { secondsOf } from '../wire/quota.js'

/** Milliseconds that a call counts, and that a breaker stays open before one call may try again. */
const WINDOW = 10_000
const OPEN = 5000

/** Calls in the window that are too few to judge by. */
const FEWEST = 20

/**
 * Keeps calls from a Spot that fails: when more than half of the calls of the last ten seconds failed, none is sent for
 * five; then one tries, and its end decides. https://martinfowler.com/bliki/CircuitBreaker.html
 */
export class Breaker {
  readonly #clock: Clock
  #results: { at: number, failed: boolean }[] = []
  #opened: number | undefined

  constructor (clock: Clock) {
    this.#clock = clock
  }

  /** Whether calls are held back. After half a minute without one nobody knows: the next will try. */
  get open (): boolean {
    return this.#opened !== undefined && this.#clock.now() < this.#opened + 6 * OPEN
  }

  /** @throws {SpotError} withheld while it is open */
  async stage (call: Call, next: Next): Promise<Answer> {
    const wait = this.#wait()
    if (wait > 0) throw new SpotError({ call, outcome: 'withheld', retryAfter: secondsOf(wait) })
    try {
      const answer = await next(call)
      this.#record(false)
      return answer
    } catch (error) {
      if (!(error instanceof SpotError)) throw error
      // What was never let out says nothing about Spot.
      if (error.calls > 0 || error.outcome === 'unsent') this.#record(outcomes[error.outcome].breaks)
      throw error
    }
  }

  /** Milliseconds until a call may be sent; 0 now. */
  #wait (): number {
    if (this.#opened === undefined) return 0
    const wait = this.#opened + OPEN - this.#clock.now()
    if (wait > 0) return wait
    this.#opened = this.#clock.now() // this call tries; for all others it is open as before
    return 0
  }

  #record (failed: boolean): void {
    const at = this.#clock.now()
    if (this.#opened !== undefined) {
      if (failed) return
      this.#opened = undefined
      this.#results = []
    }
    this.#results = this.#results.filter((result) => result.at > at - WINDOW).slice(-10 * FEWEST)
    this.#results.push({ at, failed })
    const failures = this.#results.filter(({ failed }) => failed).length
    if (this.#results.length >= FEWEST && failures > this.#results.length / 2) this.#opened = at
  }
}
