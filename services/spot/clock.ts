import { withTimer } from '../event-loop/deadline.js'

/** A server's time. Tests and the simulation pass a clock that they turn by hand. */
export interface Clock {
  /** Milliseconds, never set back. */
  now (): number
  /** Calls back once, after so many milliseconds. @returns cancels it */
  after (milliseconds: number, callback: () => void): () => void
}

/** Waiting never keeps a process alive. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after (milliseconds, callback) {
    const timer = setTimeout(callback, milliseconds).unref()
    return () => clearTimeout(timer)
  }
}

export const sleep = (clock: Clock, milliseconds: number): Promise<void> =>
  new Promise((resolve) => { clock.after(Math.max(0, milliseconds), resolve) })

/** The result, or `late()` thrown once it is `until` by the clock. */
export const withDeadline = <T>(clock: Clock, until: number, result: Promise<T>, late: () => Error): Promise<T> =>
  until === Infinity
    ? result
    : withTimer(result, (end) => clock.after(Math.max(0, until - clock.now()), end), late)
