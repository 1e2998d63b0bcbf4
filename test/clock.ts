import FakeTimers, { type Clock } from '@sinonjs/fake-timers'
import type { Test } from 'tap'
import { until } from './until.js'

export interface StoppedTime {
  /** Puts time forward by so many milliseconds: timers that are due by then go off. */
  tick (milliseconds: number): void
  /** Lets time pass, far slower than it does, until the work is done: nobody loses patience with a busy machine. */
  passUntil<T> (work: Promise<T>): Promise<T>
}

/**
 * Stops the time of this process until the test ends: clocks stand still, and timers go off only where the test puts
 * time forward. The promises of `node:timers/promises` go on in real time; `until` needs them.
 */
export function stopTime (t: Test): StoppedTime {
  const age = Math.ceil(performance.now())
  const clock: Clock = FakeTimers.install({
    now: Date.now() - age, toFake: ['Date', 'performance', 'setTimeout', 'clearTimeout']
  })
  clock.tick(age) // which is a clock that is never set back
  t.teardown(() => clock.uninstall())
  return {
    tick (milliseconds) { clock.tick(milliseconds) },
    async passUntil (work) {
      let over = false
      const end = () => { over = true }
      work.then(end, end)
      await until(() => {
        if (!over) clock.tick(1)
        return over
      })
      return work
    }
  }
}
