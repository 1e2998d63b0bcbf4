/** Milliseconds after which counting starts again. */
const PERIOD = 10_000

/** Part of the calls that may be tried again, and how many may be however few calls there are. */
const SHARE = 0.2
const FLOOR = 3

/** Bounds retries, so that a Spot in trouble is not asked three times as often as one that is well. */
export class RetryBudget {
  #since = 0
  #calls = 0
  #retries = 0

  /** Counts a call that is not a retry. @param now milliseconds */
  call (now: number): void {
    if (now - this.#since > PERIOD) {
      this.#since = now
      this.#calls = this.#retries = 0
    }
    this.#calls++
  }

  /** Whether one more may be tried again; if so it counts. */
  take (): boolean {
    if (this.#retries + 1 > Math.max(FLOOR, SHARE * this.#calls)) return false
    this.#retries++
    return true
  }
}
