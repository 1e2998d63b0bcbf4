/** Scheduled work, earliest first. There are no timers: each call first runs what has come due. */
export class Agenda {
  #due: { at: number, run: (at: number) => void }[] = []

  /** Schedules `run`, which is called with `at` (milliseconds since the epoch) once the clock has reached it. */
  add (at: number, run: (at: number) => void): void {
    const schedule = this.#due.findIndex((entry) => entry.at > at)
    this.#due.splice(schedule === -1 ? this.#due.length : schedule, 0, { at, run })
  }

  /** Runs everything that is due at `now`, including what is added meanwhile. */
  catchUp (now: number): void {
    for (let next = this.#due[0]; next !== undefined && next.at <= now; next = this.#due[0]) {
      this.#due.shift()
      next.run(next.at)
    }
  }
}
