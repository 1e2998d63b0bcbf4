/** The sandbox's time. Everything in it that depends on time reads it here. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now (): number
  /** Moves the clock forward by `ms` milliseconds. */
  advance (ms: number): void
}

/** The last moment that RFC 3339 can write; clocks stop there. */
export const LATEST = Date.parse('9999-12-31T23:59:59.999Z')

/** A clock that begins at the real time and runs `speed` times as fast; `advance` puts it ahead. */
export function realClock (speed = 1): Clock {
  const start = Date.now()
  let ahead = 0
  return {
    now: () => Math.min(LATEST, Math.floor(start + (Date.now() - start) * speed + ahead)),
    advance: (ms) => { ahead += ms }
  }
}

/** A clock that stands at `start` (milliseconds since the epoch, default now) and moves only by `advance`. */
export function stoppedClock (start: number = Date.now()): Clock {
  let time = start
  return {
    now: () => time,
    advance: (ms) => { time = Math.min(LATEST, time + ms) }
  }
}

/** When what lasts for so many minutes is over; Infinity, which is never, without a number or after the last moment. */
export function endOf (now: number, minutes = Infinity): number {
  const end = now + minutes * 60_000
  return end > LATEST ? Infinity : end
}
