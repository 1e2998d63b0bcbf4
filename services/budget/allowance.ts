import { WINDOW, type Heard } from './quota.js'

/** A place taken for one call. */
export interface Ticket {
  /** Number of the call on its route. */
  sequence: number
  /** Calls of the route that had ended when it was taken. */
  ended: number
}

/** No place now. */
export interface Refusal {
  /** Milliseconds until there may be one, however the calls on their way end. */
  wait: number
  /** Whether a call on its way may bring one when it ends. */
  hope: boolean
  /** Calls in a window, where Spot told. */
  limit: number | undefined
}

/** A reset further off than this (milliseconds) is not believed: the window is a minute. */
export const FURTHEST = 10 * WINDOW

/**
 * How many calls may be sent on one route. Spot counts on arrival and tells with the answer, so an answer is old by the
 * calls that were on their way beside it: some are counted in it, and nobody knows which. So there are two numbers.
 * `sure` takes it that none was counted, and is what may be sent. `likely` was only ever lowered by what was sent and
 * told: when nothing is on its way any more, it is certain.
 */
export class Allowance {
  limit: number | undefined
  #sure = 0
  #likely = 0
  #resetAt = -Infinity
  #blockedUntil = -Infinity
  #taken = 0
  #ended = 0
  /** Number of the newest call whose answer was read. */
  #newest = 0
  /** Number of the newest call that went because the reset had passed. */
  #probe = 0
  #usedAt = -Infinity

  /** Calls that may be sent now; undefined where Spot told no limit. */
  get remaining (): number | undefined {
    return this.limit === undefined ? undefined : Math.max(0, this.#sure)
  }

  /** Whether nothing is left to know: what was sent has gone from Spot's window. */
  forgotten (now: number): boolean {
    return this.#taken === this.#ended && now >= Math.max(this.#usedAt + WINDOW, this.#blockedUntil)
  }

  /** @param now milliseconds, by a clock that is never set back */
  reserve (now: number): Ticket | Refusal {
    const reset = now >= Math.max(this.#resetAt, this.#blockedUntil)
    if (this.#taken === this.#ended) {
      // Nothing known, or a reset that passed: one call may ask.
      if (this.#likely < 1 && reset) {
        this.#likely = 1
        this.#probe = this.#taken + 1
      }
      this.#sure = this.#likely
    }
    if (this.#sure < 1 || now < this.#blockedUntil) {
      const free = this.#likely < 1 ? Math.max(this.#resetAt, this.#blockedUntil) : this.#blockedUntil
      const wait = Math.max(0, free - now)
      const hope = this.#taken > this.#ended && now >= this.#blockedUntil && (reset || this.#likely >= 1)
      return { wait, hope, limit: this.limit }
    }
    this.#sure--
    this.#likely--
    return { sequence: ++this.#taken, ended: this.#ended }
  }

  /** Tells what became of a call; in any order. */
  settle ({ sequence, ended }: Ticket, heard: Heard, now: number): void {
    const beside = this.#taken - ended - 1
    this.#ended++
    this.#usedAt = now
    if (heard === 'unsent') {
      const back = sequence === this.#probe ? 0 : 1 // the next call asks in its stead
      this.#sure += back
      this.#likely += back
      return
    }
    if (heard === undefined || (heard.limit === undefined && !heard.blocked && this.limit !== undefined)) {
      // It may have had the place that the reset gave; when the next one comes is not known.
      if (sequence === this.#probe && this.limit !== undefined) this.#resetAt = now + WINDOW
      return
    }

    const { remaining, blocked } = heard
    const resetAt = now + Math.min(heard.reset, FURTHEST)
    this.limit = heard.limit ?? this.limit
    if (blocked) this.#blockedUntil = Math.max(this.#blockedUntil, resetAt)
    this.#resetAt = beside === 0 ? resetAt : Math.max(this.#resetAt, resetAt)
    const least = remaining - beside
    if (sequence > this.#newest) {
      this.#newest = sequence
      this.#sure = least
      this.#likely = Math.min(Math.max(this.#likely, least), remaining)
    } else {
      this.#sure = Math.min(this.#sure, least)
      this.#likely = Math.min(this.#likely, remaining)
    }
  }
}
