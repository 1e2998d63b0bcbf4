/** The width of the vendor's sliding window, milliseconds. Source: help.spot.io, API rate limits (ADM-0002). */
export const WINDOW_MS = 60_000

/** Where a caller stands after a call. */
export interface Standing {
  blocked: boolean
  /** Calls that the window holds in all. */
  limit: number
  /** Calls that may still be made now. */
  remaining: number
  /** Whole seconds until the window gives way: to the next call when blocked, else to one call more. */
  reset: number
}

/** A sliding window per key. Calls made while blocked count as well, and so prolong the block. */
export class RateLimit {
  readonly limit: number
  readonly #windows = new Map<string, Window>()

  constructor (limit: number) {
    this.limit = limit
  }

  /** Counts one call of `key` at `now` (milliseconds) and says where that leaves the caller. */
  count (key: string, now: number): Standing {
    let window = this.#windows.get(key)
    if (window === undefined) this.#windows.set(key, window = new Window())
    window.drop(now - WINDOW_MS)
    const blocked = window.size >= this.limit
    window.add(now)
    // The next call passes when fewer than `limit` are left: when the limit-th newest has gone.
    const leaving = window.at(Math.max(0, window.size - this.limit))
    return {
      blocked,
      limit: this.limit,
      remaining: Math.max(0, this.limit - window.size),
      reset: Math.ceil((leaving + WINDOW_MS - now) / 1000)
    }
  }

  /** The standing of a call that belongs to no window: without a known token or a known route. */
  untouched (): Standing {
    return { blocked: false, limit: this.limit, remaining: this.limit, reset: 0 }
  }
}

/** The three headers of every reply. */
export function rateLimitHeaders (standing: Standing): Record<string, string> {
  return {
    'x-ratelimit-limit': String(standing.limit),
    'x-ratelimit-remaining': String(standing.remaining),
    'x-ratelimit-reset': String(standing.reset)
  }
}

/** Times of calls, oldest first. A moving head, as shifting a long array for each call is slow. */
class Window {
  #times: number[] = []
  #head = 0

  get size (): number {
    return this.#times.length - this.#head
  }

  at (index: number): number {
    return this.#times[this.#head + index] ?? 0
  }

  add (time: number): void {
    this.#times.push(time)
  }

  /** Forgets what lies at or before `time`. */
  drop (time: number): void {
    while (this.size > 0 && this.at(0) <= time) this.#head++
    if (this.#head > 1024 && this.#head > this.size) {
      this.#times = this.#times.slice(this.#head)
      this.#head = 0
    }
  }
}
