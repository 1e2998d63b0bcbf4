import type { Account } from '../spot/account.js'
import { HANGING_AFTER } from '../spot/call.js'
import { sleep, type Clock } from '../spot/clock.js'
import type { Marked } from './marker.js'
import type { Reply } from './record.js'

/** Lists the resources of one kind that carry a marker. */
export type Finder = (account: Account) => Promise<Marked>

/**
 * Searches for markers among all resources of one kind. Spot counts each call, so those who ask while one is under way
 * share the next: it begins after they asked, and misses nothing that was there by then.
 */
export class MarkerSearch {
  readonly #clock: Clock
  #running: Promise<Marked> | undefined
  #next: Promise<Marked> | undefined

  constructor (clock: Clock) {
    this.#clock = clock
  }

  /** @throws whatever the list throws */
  async search (marker: string, list: () => Promise<Marked>): Promise<Reply[]> {
    return (await this.#fresh(list)).get(marker) ?? []
  }

  #fresh (list: () => Promise<Marked>): Promise<Marked> {
    if (!this.#running) return this.#begin(list)
    const ended = this.#running.then(() => {}, () => {})
    this.#next ??= Promise.race([ended, sleep(this.#clock, HANGING_AFTER)]).then(() => this.#begin(list))
    return this.#next
  }

  #begin (list: () => Promise<Marked>): Promise<Marked> {
    this.#next = undefined
    const running = list()
    this.#running = running
    const over = () => { if (this.#running === running) this.#running = undefined }
    running.then(over, over)
    return running
  }
}
