import type { Account } from '../spotinst/index.js'
import type { Answer } from './record.js'

/** All resources of one kind that carry a marker, by the marker; each with the answer to its create. */
export type Marked = Map<string, Answer[]>

/** Lists the resources of a kind that carry a marker. */
export type Finder = (account: Account) => Promise<Marked>

/**
 * Looks through all resources of one kind. A list is a call that Spot counts, so those who ask while one is under way
 * share the next: it begins after they asked, so what they ask about can not have come in between.
 */
export class Looks {
  readonly #list: () => Promise<Marked>
  #running: Promise<Marked> | undefined
  #next: Promise<Marked> | undefined

  constructor (list: () => Promise<Marked>) {
    this.#list = list
  }

  /** @throws {Error} whatever the list throws */
  async look (marker: string): Promise<Answer[]> {
    return (await this.#fresh()).get(marker) ?? []
  }

  #fresh (): Promise<Marked> {
    if (!this.#running) return this.#begin()
    this.#next ??= this.#running.then(() => {}, () => {}).then(() => this.#begin())
    return this.#next
  }

  #begin (): Promise<Marked> {
    this.#next = undefined
    const running = this.#list()
    this.#running = running
    const over = () => { if (this.#running === running) this.#running = undefined }
    running.then(over, over)
    return running
  }
}
