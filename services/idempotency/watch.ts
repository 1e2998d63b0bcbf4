import type { Clock } from '../spot/clock.js'
import type { Ledger } from './ledger.js'
import { happeningOf } from './look.js'
import { idOf, isInDoubt, lookIn, pathsOf, type KeyRecord, type Reply } from './record.js'
import { rowOf, type KeyEvent } from './states.js'

export interface WatchOptions {
  ledger: Ledger
  clock: Clock
  /** Milliseconds after which an attempt shows in a list of Spot's, if ever. */
  settle: number
  /** Lists what a key made; undefined where that cannot be done. */
  listFor: (record: KeyRecord) => (() => Promise<Reply[]>) | undefined
  onEvent: (event: KeyEvent | undefined, record: KeyRecord, paths?: string[]) => void
}

/** Looks for what came of creates though nobody asks, when that is due. */
export class Watch {
  readonly #options: WatchOptions
  /** When to look at what keys, by this server's clock: only how soon depends on it, never what follows. */
  readonly #keys = new Map<string, { at: number, isInDoubt: boolean }>()

  constructor (options: WatchOptions) {
    this.#options = options
  }

  /** Keys that may have created something, which a look will find out. */
  get inDoubt (): number {
    return [...this.#keys.values()].filter(({ isInDoubt }) => isInDoubt).length
  }

  /** Takes note of what is known of a key now. */
  note (key: string, record: KeyRecord | undefined): void {
    const { clock, settle, listFor } = this.#options
    const wait = record && listFor(record) ? lookIn(record, settle) : Infinity
    if (!record || wait === Infinity) this.#keys.delete(key)
    else this.#keys.set(key, { at: clock.now() + wait, isInDoubt: isInDoubt(record, settle) })
  }

  /** Learns what other servers left behind, or this one before it was started anew. @throws when the state fails */
  async recall (): Promise<void> {
    for await (const [key, record] of this.#options.ledger.all()) this.note(key, record)
  }

  /** Looks at each key that is due. Where the state or Spot fails, its turn comes again. */
  async sweep (): Promise<void> {
    const now = this.#options.clock.now()
    const due = [...this.#keys].filter(([, { at }]) => at <= now)
    // All at once: they share their lists.
    await Promise.all(due.map(([key]) => this.#look(key).catch(() => {})))
  }

  async #look (key: string): Promise<void> {
    const { ledger, settle, listFor, onEvent } = this.#options
    const entry = await ledger.get(key)
    this.note(key, entry?.record)
    const list = entry && listFor(entry.record)
    if (!list || lookIn(entry.record, settle) > 0) return
    const { record } = entry
    const found = await list()
    const isStray = (one: Reply) => record.reply !== undefined && idOf(one) !== idOf(record.reply)
    const happening = record.state === 'answered'
      ? found.some(isStray) ? 'several' : 'absent'
      : happeningOf(found, record.quietFor >= settle)
    const { next, event } = rowOf(record.state, happening)
    const [reply] = next === 'answered' ? [record.reply ?? found[0]] : []
    const looked = { ...record, state: next as KeyRecord['state'], reply, lookedAfter: record.quietFor }
    if (!await ledger.replace(key, entry, looked)) return
    onEvent(event, record, pathsOf(found))
    this.note(key, looked)
  }
}
