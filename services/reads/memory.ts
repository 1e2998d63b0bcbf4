import { LRUCache } from 'lru-cache'
import type { Path } from '../spotinst/call.js'

/** Milliseconds that what Spot said counts as fresh, and that it may stand in when Spot can not be asked. */
export interface ReadSettings { freshFor: number, staleFor: number }

/** Bytes of Spot's answers that are remembered. */
const MOST_BYTES = 128 * 1024 * 1024

/** What Spot said to one read. */
export interface Reading<T = unknown> {
  value: T
  /** Characters of the answer. */
  size: number
  /** When it was asked, by `performance.now()`. */
  at: number
  /** The place in the order of all reads and writes at which it was asked. */
  order: number
  scope: Scope
}

/** What a read is about and a write touches: a resource with all it has, or all resources of a noun. */
export interface Scope { noun: string, resource: string | undefined }

/** How a read was answered. A label of the metrics, so the set is closed. */
export const RESULTS = ['hit', 'miss', 'collapsed', 'stale'] as const
export type Result = typeof RESULTS[number]

interface Flight {
  order: number
  reading: Promise<Reading>
  /** The call that begins once this one has ended, for those who came too late for it. */
  next?: Promise<Reading>
}

/**
 * Remembers for a moment what Spot said, so that callers who ask the same share one call. A write makes it forget what
 * the write touched, so that nobody sees less than was written.
 */
export class Memory {
  readonly #settings: ReadSettings
  readonly #readings = new LRUCache<string, Reading>({
    maxSize: MOST_BYTES, sizeCalculation: ({ size }) => size + 1000
  })

  readonly #flights = new Map<string, Flight>()
  /** The order of the last write to each scope. Older readings than this remembers are not used any more. */
  readonly #writes: LRUCache<string, number>
  #order = 0
  /** Nothing older than this is fresh. */
  #floor = 0

  constructor (settings: ReadSettings) {
    this.#settings = settings
    this.#writes = new LRUCache({ ttl: settings.staleFor + 120_000, ttlAutopurge: false, max: 100_000 })
  }

  /**
   * Answers a read, from memory where that is fresh.
   *
   * @param key names the read: account, path and query
   * @param fresh whether memory will not do
   * @param ask asks Spot
   * @param mayStandIn whether something older may be taken for an answer, after this error
   * @throws {Error} what `ask` throws
   */
  async read<T> (
    key: string, scope: Scope, fresh: boolean,
    ask: () => Promise<{ value: T, size: number }>,
    mayStandIn: (error: unknown) => boolean
  ): Promise<{ reading: Reading<T>, result: Result }> {
    const known = this.#readings.get(key) as Reading<T> | undefined
    if (known && !fresh && this.isFresh(known)) return { reading: known, result: 'hit' }
    const flight = this.#flights.get(key)
    const isGood = flight && flight.order > this.#floor && this.#isCurrent(flight.order, scope)
    const shared = fresh ? flight?.next : isGood ? flight.reading : undefined
    try {
      if (shared) return { reading: await shared as Reading<T>, result: 'collapsed' }
      const asked = fresh && flight ? this.#follow(flight, key, scope, ask) : this.#fly(key, scope, ask)
      return { reading: await asked, result: 'miss' }
    } catch (error) {
      if (known && mayStandIn(error) && this.#mayStandIn(known)) return { reading: known, result: 'stale' }
      throw error
    }
  }

  /** Whether a reading may be given as it is. */
  isFresh ({ at, order, scope }: Reading): boolean {
    return performance.now() - at < this.#settings.freshFor && order > this.#floor && this.#isCurrent(order, scope)
  }

  /** Forgets what a write touched. */
  forget ({ noun, resource }: Scope): void {
    const order = ++this.#order
    this.#writes.set(noun, order)
    this.#writes.set(resource === undefined ? `${noun} *` : `${noun} ${resource}`, order)
  }

  /** Takes nothing for fresh any more: others may have written, unheard. */
  doubtAll (): void {
    this.#floor = ++this.#order
  }

  #fly<T> (key: string, scope: Scope, ask: () => Promise<{ value: T, size: number }>): Promise<Reading<T>> {
    const order = ++this.#order
    const at = performance.now()
    const reading = ask().then((answer) => ({ ...answer, at, order, scope }))
    const flight = { order, reading }
    this.#flights.set(key, flight)
    const landed = () => { if (this.#flights.get(key) === flight) this.#flights.delete(key) }
    reading.then((reading) => {
      landed()
      if (this.#isCurrent(order, scope)) this.#readings.set(key, reading)
    }, landed)
    return reading
  }

  /**
   * Asks once the call under way has ended: it began too early to be fresh, but all who come until it ends can share
   * the next.
   */
  #follow<T> (
    flight: Flight, key: string, scope: Scope, ask: () => Promise<{ value: T, size: number }>
  ): Promise<Reading<T>> {
    const next = flight.reading.then(() => {}, () => {}).then(() => this.#fly(key, scope, ask))
    flight.next = next
    return next
  }

  #mayStandIn ({ at, order, scope }: Reading): boolean {
    return performance.now() - at < this.#settings.staleFor && this.#isCurrent(order, scope)
  }

  /** Whether nothing was written since. A list is about all resources of its noun. */
  #isCurrent (order: number, { noun, resource }: Scope): boolean {
    const last = (name: string) => this.#writes.get(name) ?? 0
    const written = resource === undefined
      ? last(noun)
      : Math.max(last(`${noun} *`), last(`${noun} ${resource}`))
    return order > written
  }
}

/** Where an id stands otherwise: what is there changes many resources, or makes one. */
const many = new Set(['state', 'migration'])

/**
 * The scope of a call in an account.
 *
 * @param account names the account to Spot: its endpoint and id
 */
export function scopeOf (account: string, [, , noun, resource]: Path): Scope {
  const one = resource !== undefined && !many.has(resource)
  return { noun: `${account} ${noun}`, resource: one ? resource : undefined }
}
