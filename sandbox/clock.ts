/** The sandbox's time. Everything in it that depends on time reads it here. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now (): number
  /** Moves the clock forward by `ms` milliseconds. */
  advance (ms: number): void
}

/** A clock that follows real time; `advance` puts it ahead. */
export function realClock (): Clock {
  let ahead = 0
  return {
    now: () => Date.now() + ahead,
    advance: (ms) => { ahead += ms }
  }
}

/** A clock that stands at `start` (milliseconds since the epoch, default now) and moves only by `advance`. */
export function stoppedClock (start: number = Date.now()): Clock {
  let time = start
  return {
    now: () => time,
    advance: (ms) => { time += ms }
  }
}
