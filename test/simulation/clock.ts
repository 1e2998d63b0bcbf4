import { setImmediate as turn } from 'node:timers/promises'

/** What tells the time, and waits. Milliseconds. */
export interface Clock {
  now (): number
  sleep (milliseconds: number): Promise<void>
}

/**
 * A clock that moves only while everybody sleeps, to the moment when the first of them wakes. Hours pass in
 * milliseconds, and always in the same order.
 */
export function simulatedClock (start = 0): Clock {
  const sleepers: { at: number, wake: () => void }[] = []
  let now = start
  let running = false

  async function run () {
    running = true
    while (sleepers.length > 0) {
      // Whoever was woken does all it can before time goes on.
      await turn()
      // Of those with the same moment, the one who fell asleep first: sorting is stable.
      sleepers.sort((a, b) => a.at - b.at)
      const first = sleepers.shift()
      if (!first) break
      now = first.at
      first.wake()
    }
    running = false
  }

  return {
    now: () => now,
    sleep: (milliseconds) => new Promise((resolve) => {
      sleepers.push({ at: now + milliseconds, wake: resolve })
      if (!running) run()
    })
  }
}
