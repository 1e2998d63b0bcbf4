import type { Clock } from '../spot/clock.js'
import type { Ledger } from './ledger.js'
import { idOf, isInDoubt, pathsOf, untilSearch, type KeyRecord, type Reply } from './record.js'
import { triggerOf } from './search-for-marker.js'
import { rowOf, type KeyEvent } from './states.js'

export interface WatchOptions {
  ledger: Ledger
  clock: Clock
  /** Milliseconds after which an attempt shows in a list of Spot's, if ever. */
  settle: number
  /** Searches for what a key made; undefined where that cannot be done. */
  searchFor: (record: KeyRecord) => (() => Promise<Reply[]>) | undefined
  onEvent: (event: KeyEvent | undefined, record: KeyRecord, paths?: string[]) => void
}

/** Searches in the background for creates whose outcome is unknown. */
export class Watch {
  readonly #options: WatchOptions
  /** When to search for which keys, by this server's clock: only how soon depends on it, never what follows. */
  readonly #keys = new Map<string, { at: number, isInDoubt: boolean }>()

  constructor (options: WatchOptions) {
    this.#options = options
  }

  /** Keys that may have created something, which a search will find out. */
  get inDoubt (): number {
    return [...this.#keys.values()].filter(({ isInDoubt }) => isInDoubt).length
  }

  /** Takes note of what is known of a key now. */
  note (key: string, record: KeyRecord | undefined): void {
    const { clock, settle, searchFor } = this.#options
    const wait = record && searchFor(record) ? untilSearch(record, settle) : Infinity
    if (!record || wait === Infinity) this.#keys.delete(key)
    else this.#keys.set(key, { at: clock.now() + wait, isInDoubt: isInDoubt(record, settle) })
  }

  /** Learns which keys other servers left behind, or this one before a restart. @throws when the state fails */
  async recall (): Promise<void> {
    for await (const [key, record] of this.#options.ledger.all()) this.note(key, record)
  }

  /** Runs every search that is due. If the state or Spot fails, it is run again at the next sweep. */
  async sweep (): Promise<void> {
    const now = this.#options.clock.now()
    const due = [...this.#keys].filter(([, { at }]) => at <= now)
    // All at once: they share their calls to Spot.
    await Promise.all(due.map(([key]) => this.#search(key).catch(() => {})))
  }

  async #search (key: string): Promise<void> {
    const { ledger, settle, searchFor, onEvent } = this.#options
    const entry = await ledger.get(key)
    this.note(key, entry?.record)
    const search = entry && searchFor(entry.record)
    if (!search || untilSearch(entry.record, settle) > 0) return
    const { record } = entry
    const found = await search()
    const isStray = (one: Reply) => record.reply !== undefined && idOf(one) !== idOf(record.reply)
    const trigger = record.state === 'answered'
      ? found.some(isStray) ? 'several' : 'absent'
      : triggerOf(found, record.quietFor >= settle)
    const { next, event } = rowOf(record.state, trigger)
    const [reply] = next === 'answered' ? [record.reply ?? found[0]] : []
    const searched = { ...record, state: next as KeyRecord['state'], reply, lookedAfter: record.quietFor }
    if (!await ledger.replace(key, entry, searched)) return
    onEvent(event, record, pathsOf(found))
    this.note(key, searched)
  }
}
