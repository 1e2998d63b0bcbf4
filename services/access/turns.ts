/** What waits for its turn. The lowest rank is next; of equals, the one that came first. */
interface Waiting { rank: () => number, start: (started: boolean) => void }

/** Turns for something costly: a few at once. */
export class Turns {
  readonly #waiting: Waiting[] = []
  #taken = 0

  /**
   * @param atOnce turns at the same time
   * @param most of those who wait for their first turn
   */
  constructor (readonly atOnce: number, readonly most: number) {}

  /** Makes room for one more with this rank: if too many wait, the last one with a higher rank has to leave. */
  admit (rank: number): boolean {
    if (this.#waiting.length < this.most) return true
    const last = this.#waiting.toSorted((a, b) => a.rank() - b.rank()).at(-1)
    if (!last || last.rank() <= rank) return false
    this.#leave(last)
    return true
  }

  /**
   * @param rank is asked whenever a turn is free
   * @param leaving gives up waiting when it is aborted
   * @returns whether it is its turn now, which `end` ends; false where it had to leave
   */
  take (rank: () => number, leaving: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const waiting = { rank, start: resolve }
      this.#waiting.push(waiting)
      leaving.addEventListener('abort', () => this.#leave(waiting), { once: true })
      if (leaving.aborted) this.#leave(waiting)
      this.#next()
    })
  }

  end (): void {
    this.#taken--
    this.#next()
  }

  #next (): void {
    while (this.#taken < this.atOnce && this.#waiting.length > 0) {
      const first = this.#waiting.reduce((best, other) => other.rank() < best.rank() ? other : best)
      this.#remove(first)
      this.#taken++
      first.start(true)
    }
  }

  #leave (waiting: Waiting): void {
    this.#remove(waiting)
    waiting.start(false) // no more than a promise that is settled already, if it had its turn
  }

  #remove (waiting: Waiting): void {
    const at = this.#waiting.indexOf(waiting)
    if (at >= 0) this.#waiting.splice(at, 1)
  }
}
