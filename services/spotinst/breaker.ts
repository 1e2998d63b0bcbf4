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
  readonly #now: () => number
  #results: { at: number, failed: boolean }[] = []
  #opened: number | undefined

  /** @param now milliseconds, by a clock that is never set back */
  constructor (now: () => number = () => performance.now()) {
    this.#now = now
  }

  get open (): boolean {
    return this.#opened !== undefined
  }

  /**
   * Asks for a call.
   *
   * @returns milliseconds until one may be sent; 0 now
   */
  ask (): number {
    if (this.#opened === undefined) return 0
    const wait = this.#opened + OPEN - this.#now()
    if (wait > 0) return wait
    this.#opened = this.#now() // this call tries; for all others it is open as before
    return 0
  }

  /** Tells how a call ended. */
  tell (failed: boolean): void {
    const at = this.#now()
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
