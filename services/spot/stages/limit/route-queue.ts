import type { Call } from '../../call.js'
import type { Clock } from '../../clock.js'
import { SpotError } from '../../error.js'
import { secondsOf } from '../../wire/quota.js'
import { Block, type OnBlock } from './block.js'
import type { Shared } from './shared.js'
import { isRefusal, RouteWindow, type Ask, type Refusal, type Send, type Feedback } from './window.js'

/** Milliseconds that a call waits at most for room; a longer wait is answered at once. */
const LONGEST_WAIT = 2000

/** Milliseconds after which to look again for what other servers did. */
const POLL = 100

/** Permission to send one call, as counted by this server and by all. */
export interface Slot { local: Send, shared: Send | undefined }

interface Waiter {
  call: Call
  resolve: (slot: Slot) => void
  reject: (error: SpotError) => void
  /** Cancels its deadline. */
  cancel: () => void
}

type Ahead = Pick<Ask, 'ahead' | 'aheadOwn'>

/** The waiting calls of one client, in the order they came. */
interface ClientQueue {
  client: string
  reserved: boolean
  waiting: Waiter[]
}

export interface RouteQueueOptions {
  /** Name of the route, the same on every server. */
  route: string
  clock: Clock
  shared: Shared | undefined
  shareOf: (client: string) => number
  onBlock: OnBlock
}

/**
 * The calls of one route. Those of one client go in the order they came, and clients take turns: one that sends a
 * thousand calls, or has used up its share, holds up no other.
 */
export class RouteQueue {
  readonly #route: string
  readonly #clock: Clock
  readonly #shared: Shared | undefined
  readonly #shareOf: (client: string) => number
  readonly #window = new RouteWindow()
  readonly #block: Block
  /** Queues in the order of their turns. */
  readonly #queues = new Map<string, ClientQueue>()
  #serving = false
  #serveAgain = false
  #cancelTimer = () => {}

  constructor ({ route, clock, shared, shareOf, onBlock }: RouteQueueOptions) {
    this.#route = route
    this.#clock = clock
    this.#shared = shared
    this.#shareOf = shareOf
    this.#block = new Block(clock, onBlock)
  }

  /** Seconds in which calls were refused, all in all. */
  get blockedSeconds (): number {
    return this.#block.seconds
  }

  /** Calls that may be sent now, as far as this server knows; undefined where no limit is known. */
  get remaining (): number | undefined {
    return this.#window.remaining(this.#clock.now())
  }

  /** Whether it holds nothing that must be kept. */
  get idle (): boolean {
    return this.#queues.size === 0 && this.#window.idle(this.#clock.now())
  }

  /**
   * Takes a slot for a call. Waits if there will be one within two seconds.
   *
   * @throws {SpotError} rate-limited, with the time after which there is room; expired when the call's deadline passes
   */
  async enter (call: Call): Promise<Slot> {
    if (this.#clock.now() >= call.deadline) throw new SpotError({ call, outcome: 'expired' })
    const ahead = this.#ahead(call)
    const asked = this.#ask(call, ahead)
    const reply = asked instanceof Promise ? await asked : asked
    if (!isRefusal(reply)) {
      if (!call.reserved) this.#block.went()
      return reply
    }
    if (reply.wait > LONGEST_WAIT) throw this.#refused(call, reply)
    return new Promise((resolve, reject) => {
      const aheadNow = this.#ahead(call)
      const [queue, waiter] = this.#enqueue(call, resolve, reject)
      // Others have asked at the same time, so it may have to wait longer than the reply said.
      const isSame = aheadNow.ahead === ahead.ahead && aheadNow.aheadOwn === ahead.aheadOwn
      if (!isSame) this.#askAgain(queue, waiter, aheadNow)
      if (queue.waiting.length === 1) this.#serve()
    })
  }

  /** Gives a slot back: its call has ended. */
  leave ({ local, shared }: Slot, feedback: Feedback): void {
    const now = this.#clock.now()
    this.#window.leave(now, local, feedback)
    this.#shared?.leave(this.#route, local.client, shared, feedback)
    if (typeof feedback === 'object' && feedback.blocked) this.#block.refused(this.#window.blockedFor(now))
    if (this.#queues.size > 0) this.#serve()
  }

  close (): void {
    this.#cancelTimer()
    this.#block.close()
  }

  /** Asks this server alone, or all of them, where they can be reached. */
  #ask (
    { client, reserved, deadline }: Call, ahead: Ahead = { ahead: 0, aheadOwn: 0 }
  ): Slot | Refusal | Promise<Slot | Refusal> {
    const ask = { client, share: this.#shareOf(client), reserved, ...ahead, lease: deadline - this.#clock.now() }
    return this.#shared ? this.#askShared(this.#shared, ask) : this.#askLocal(ask)
  }

  #askLocal (ask: Ask): Slot | Refusal {
    const reply = this.#window.enter(this.#clock.now(), ask)
    return isRefusal(reply) ? reply : { local: reply, shared: undefined }
  }

  async #askShared (all: Shared, ask: Ask): Promise<Slot | Refusal> {
    // A block that this server knows of holds, whatever the others know; it may come even while they are asked.
    const blockedBefore = this.#blocked()
    if (blockedBefore) return blockedBefore
    const shared = await all.enter(this.#route, ask)
    if (!shared) return this.#askLocal(ask)
    if (isRefusal(shared)) return shared
    const blocked = this.#blocked()
    if (!blocked) return { local: this.#window.record(this.#clock.now(), ask.client), shared }
    all.leave(this.#route, ask.client, shared, 'unsent')
    return blocked
  }

  #blocked (): Refusal | undefined {
    const wait = this.#window.blockedFor(this.#clock.now())
    return wait > 0 ? { wait, held: false, limit: this.#window.limit } : undefined
  }

  /** Calls that go before one that comes now: all of its own queue, and of each other queue as many and one more. */
  #ahead ({ client, reserved }: Call): Ahead {
    const count = { ahead: 0, aheadOwn: 0 }
    const own = this.#queues.get(keyOf(client, reserved))
    const turns = (own?.waiting.length ?? 0) + 1
    for (const queue of this.#queues.values()) {
      if (reserved && !queue.reserved) continue // the reserve is not theirs
      const first = queue === own ? turns - 1 : Math.min(turns, queue.waiting.length)
      if (queue.client === client) count.aheadOwn += first
      count.ahead += first
    }
    return count
  }

  #enqueue (call: Call, resolve: Waiter['resolve'], reject: Waiter['reject']): [ClientQueue, Waiter] {
    const { client, reserved, deadline } = call
    const key = keyOf(client, reserved)
    const queue = this.#queues.get(key) ?? { client, reserved, waiting: [] }
    this.#queues.set(key, queue)
    const cancel = deadline === Infinity
      ? () => {}
      : this.#clock.after(Math.max(0, deadline - this.#clock.now()), () => {
        this.#remove(queue, waiter)
        reject(new SpotError({ call, outcome: 'expired' }))
      })
    const waiter: Waiter = { call, resolve, reject, cancel }
    queue.waiting.push(waiter)
    return [queue, waiter]
  }

  async #askAgain (queue: ClientQueue, waiter: Waiter, ahead: Ahead): Promise<void> {
    const reply = await this.#ask(waiter.call, ahead)
    if (!isRefusal(reply)) this.#admit(queue, waiter, reply)
    else if (reply.wait > LONGEST_WAIT) this.#reject(queue, waiter, reply)
  }

  #admit (queue: ClientQueue, waiter: Waiter, slot: Slot): void {
    if (!this.#remove(queue, waiter)) return this.leave(slot, 'unsent') // it has gone, or its deadline has passed
    if (!queue.reserved) this.#block.went()
    waiter.resolve(slot)
  }

  #reject (queue: ClientQueue, waiter: Waiter, refusal: Refusal): void {
    if (this.#remove(queue, waiter)) waiter.reject(this.#refused(waiter.call, refusal))
  }

  #remove (queue: ClientQueue, waiter: Waiter): boolean {
    const index = queue.waiting.indexOf(waiter)
    if (index < 0) return false
    queue.waiting.splice(index, 1)
    waiter.cancel()
    if (queue.waiting.length === 0) this.#queues.delete(keyOf(queue.client, queue.reserved))
    return true
  }

  /** Admits waiting calls, then sets a timer for when the next may go. */
  async #serve (): Promise<void> {
    this.#serveAgain = true
    if (this.#serving) return
    this.#serving = true
    this.#cancelTimer()
    let wait = Infinity
    while (this.#serveAgain) {
      this.#serveAgain = false
      wait = await this.#admitWaiting()
    }
    this.#serving = false
    if (wait === Infinity) return
    if (this.#shared) wait = Math.min(wait, POLL)
    this.#cancelTimer = this.#clock.after(Math.max(1, Math.ceil(wait)), () => { this.#serve() })
  }

  /** @returns milliseconds until the next one may go */
  async #admitWaiting (): Promise<number> {
    const refused = new Set<ClientQueue>()
    let least = Infinity
    for (let queue; (queue = this.#first(refused));) {
      const first = queue.waiting[0] as Waiter
      const reply = await this.#ask(first.call)
      if (!isRefusal(reply)) {
        this.#admit(queue, first, reply)
        this.#toTheEnd(queue)
        continue
      }
      refused.add(queue)
      if (reply.wait <= LONGEST_WAIT) {
        least = Math.min(least, reply.wait)
        continue
      }
      for (const waiter of [...queue.waiting]) this.#reject(queue, waiter, reply)
    }
    return least
  }

  #first (refused: Set<ClientQueue>): ClientQueue | undefined {
    for (const queue of this.#queues.values()) if (!refused.has(queue)) return queue
  }

  /** The other queues go first now. A queue that has become empty meanwhile may have a successor, which stays. */
  #toTheEnd (queue: ClientQueue): void {
    const key = keyOf(queue.client, queue.reserved)
    if (this.#queues.get(key) !== queue) return
    this.#queues.delete(key)
    this.#queues.set(key, queue)
  }

  #refused (call: Call, { wait, held, limit }: Refusal): SpotError {
    // Report a block only if the route is full: not if one client is over its share, and not for a reserved read.
    if (!held && !call.reserved) this.#block.refused(wait)
    return new SpotError({ call, outcome: 'rate-limited', retryAfter: secondsOf(wait), limit })
  }
}

/** `+`: the queue of a client's reserved reads; `-`: of its other calls. */
const keyOf = (client: string, reserved: boolean) => `${reserved ? '+' : '-'}${client}`
