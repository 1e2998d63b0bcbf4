/** What is still to happen, in the order of its time. Nothing runs by itself: whoever looks first catches up. */
export class Agenda {
  #due: { at: number, run: (at: number) => void }[] = []

  /** Has `run` called with `at` (milliseconds since the epoch) once the clock has reached it. */
  add (at: number, run: (at: number) => void): void {
    const later = this.#due.findIndex((entry) => entry.at > at)
    this.#due.splice(later === -1 ? this.#due.length : later, 0, { at, run })
  }

  /** Runs everything that is due at `now`, also what is added on the way. */
  catchUp (now: number): void {
    for (let next = this.#due[0]; next !== undefined && next.at <= now; next = this.#due[0]) {
      this.#due.shift()
      next.run(next.at)
    }
  }
}
