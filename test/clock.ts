import { setImmediate as turn } from 'node:timers/promises'
import FakeTimers, { type Clock } from '@sinonjs/fake-timers'
import type { Test } from 'tap'
import { until } from './until.js'

export interface StoppedTime {
  /** Puts time forward by so many milliseconds: timers that are due by then go off. */
  tick (milliseconds: number): void
  /**
   * Lets a millisecond pass in each turn of the event loop, until the work is done. Whoever is in this process has many
   * turns in what takes milliseconds, so nobody loses patience with a busy machine.
   *
   * @param pass waits between two milliseconds: longer where another process has something to do
   */
  passUntil<T> (work: Promise<T>, pass?: () => Promise<unknown>): Promise<T>
}

/**
 * Stops the time of this process until the test ends: clocks stand still, and timers go off only where the test puts
 * time forward. The promises of `node:timers/promises` go on in real time; `until` needs them.
 */
export function stopTime (t: Test): StoppedTime {
  const age = Math.ceil(performance.now())
  const clock: Clock = FakeTimers.install({
    now: Date.now() - age,
    toFake: ['Date', 'performance', 'setTimeout', 'clearTimeout'],
    shouldClearNativeTimers: true
  })
  clock.tick(age) // which is a clock that is never set back
  t.teardown(() => clock.uninstall())
  return {
    tick (milliseconds) { clock.tick(milliseconds) },
    async passUntil (work, pass = turn) {
      let over = false
      const end = () => { over = true }
      work.then(end, end)
      await until(() => {
        if (!over) clock.tick(1)
        return over
      }, pass)
      return work
    }
  }
}
