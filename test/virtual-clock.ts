import type { Clock } from '../services/spot/clock.js'

/**
 * A clock that a test turns. Nothing waits for real time: `advance` calls what is due at its own moment, in order, and
 * between two of them everything that promises have set going comes to rest.
 */
export class VirtualClock implements Clock {
  #now: number
  #timers: { at: number, callback: () => void }[] = []

  /** @param now milliseconds that it begins with */
  constructor (now = 1_000_000) {
    this.#now = now
  }

  now (): number {
    return this.#now
  }

  after (milliseconds: number, callback: () => void): () => void {
    const timer = { at: this.#now + Math.max(0, milliseconds), callback }
    const later = this.#timers.findLastIndex(({ at }) => at <= timer.at) + 1
    this.#timers.splice(later, 0, timer)
    return () => { this.#timers = this.#timers.filter((other) => other !== timer) }
  }

  /** Lets so much time pass. */
  async advance (milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds
    await this.settle()
    for (let next; (next = this.#timers[0]) && next.at <= end;) {
      this.#timers.shift()
      this.#now = Math.max(this.#now, next.at)
      next.callback()
      await this.settle()
    }
    this.#now = end
  }

  /** Until no promise has anything left to do that does not wait for time, or for the world outside. */
  async settle (): Promise<void> {
    await new Promise(setImmediate)
  }
}
