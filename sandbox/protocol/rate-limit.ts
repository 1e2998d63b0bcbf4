/** The width of the vendor's sliding window, milliseconds. Source: help.spot.io, API rate limits (ADM-0002). */
export const WINDOW_MS = 60_000

/** What a caller has used after a call. */
export interface Usage {
  blocked: boolean
  /** Calls per window. */
  limit: number
  /** Calls left. */
  remaining: number
  /** Whole seconds until the next call passes if blocked, else until one more call is left. */
  reset: number
}

/** A sliding window per key. Calls made while blocked count as well, so they prolong the block. */
export class RateLimit {
  readonly limit: number
  readonly #windows = new Map<string, Window>()

  constructor (limit: number) {
    this.limit = limit
  }

  /** Counts one call of `key` at `now` (milliseconds) and returns the usage. */
  count (key: string, now: number): Usage {
    let window = this.#windows.get(key)
    if (window === undefined) this.#windows.set(key, window = new Window())
    window.drop(now - WINDOW_MS)
    const blocked = window.size >= this.limit
    window.add(now)
    // The next call passes once fewer than `limit` are left: when the limit-th newest has left.
    const leaving = window.at(Math.max(0, window.size - this.limit))
    return {
      blocked,
      limit: this.limit,
      remaining: Math.max(0, this.limit - window.size),
      reset: Math.ceil((leaving + WINDOW_MS - now) / 1000)
    }
  }

  /** Forgets all calls. */
  clear (): void {
    this.#windows.clear()
  }

  /** The usage of a call without a known token or route, which is not counted. */
  unused (): Usage {
    return { blocked: false, limit: this.limit, remaining: this.limit, reset: 0 }
  }
}

/** The three headers of every reply. */
export function rateLimitHeaders (usage: Usage): Record<string, string> {
  return {
    'x-ratelimit-limit': String(usage.limit),
    'x-ratelimit-remaining': String(usage.remaining),
    'x-ratelimit-reset': String(usage.reset)
  }
}

/** Times of calls, oldest first. The head moves, because shifting a long array at each call is slow. */
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

  /** Drops what is not after `time`. */
  drop (time: number): void {
    while (this.size > 0 && this.at(0) <= time) this.#head++
    if (this.#head > 1024 && this.#head > this.size) {
      this.#times = this.#times.slice(this.#head)
      this.#head = 0
    }
  }
}
