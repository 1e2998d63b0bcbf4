import type { Clock } from '../../services/spot/clock.js'

/** A random source that a seed decides: mulberry32, public domain. */
export function randomFrom (seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6D2B79F5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

interface Event { at: number, order: number, happen: () => void }

/** Events of a history. One that has more does not end. */
const MAX_EVENTS = 200_000

/** Runs everything that waits for a promise, not for time. */
const settle = () => new Promise<void>((resolve) => { setImmediate(resolve) })

/** Time that passes at once, from one event to the next, in an order that depends on nothing but the seed. */
export class World {
  /** Milliseconds since the world began. */
  now = 0
  readonly random: () => number
  readonly #events: Event[] = []
  #order = 0
  #happened = 0

  constructor (seed: number) {
    this.random = randomFrom(seed)
  }

  /** @returns cancels it */
  at (when: number, happen: () => void): () => void {
    const event = { at: Math.max(this.now, when), order: this.#order++, happen }
    this.#insert(event)
    return () => { event.happen = () => {} }
  }

  sleep = (milliseconds: number): Promise<void> =>
    new Promise((resolve) => { this.at(this.now + milliseconds, resolve) })

  /** Lets time pass. @returns once nothing is left to happen before `end` */
  async run (end: number): Promise<void> {
    await settle()
    for (let event; (event = this.#events[0]) && event.at <= end;) {
      if (++this.#happened > MAX_EVENTS) {
        throw new Error(`More than ${MAX_EVENTS} events: the simulation does not end.`)
      }
      this.#take()
      this.now = event.at
      event.happen()
      await settle()
    }
    this.now = end
  }

  /** From low to high, whole. */
  between (low: number, high: number): number {
    return low + Math.floor(this.random() * (high - low + 1))
  }

  chance (probability: number): boolean {
    return this.random() < probability
  }

  // A binary heap: thousands of events wait at times.
  #insert (event: Event): void {
    const heap = this.#events
    let index = heap.push(event) - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (isBefore(heap[parent] as Event, event)) break
      heap[index] = heap[parent] as Event
      index = parent
    }
    heap[index] = event
  }

  #take (): void {
    const heap = this.#events
    const last = heap.pop() as Event
    if (heap.length === 0) return
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Event, heap[child] as Event)) child++
      if (isBefore(last, heap[child] as Event)) break
      heap[index] = heap[child] as Event
      index = child
    }
    heap[index] = last
  }
}

const isBefore = (one: Event, other: Event) => one.at < other.at || (one.at === other.at && one.order < other.order)

/**
 * The clock of one server, which has its own start and may run fast or slow. Once the server is dead, its timers never
 * fire.
 */
export class ServerClock implements Clock {
  readonly #world: World
  readonly #offset: number
  readonly #rate: number
  dead = false

  /** @param rate milliseconds by this clock in one millisecond of the world */
  constructor (world: World, offset: number, rate: number) {
    this.#world = world
    this.#offset = offset
    this.#rate = rate
  }

  now (): number {
    return this.#offset + this.#world.now * this.#rate
  }

  after (milliseconds: number, callback: () => void): () => void {
    const when = this.#world.now + Math.max(0, milliseconds) / this.#rate
    return this.#world.at(when, () => { if (!this.dead) callback() })
  }
}
