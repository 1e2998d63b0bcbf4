import type { Call } from '../../call.js'
import type { Clock } from '../../clock.js'
import { SpotError } from '../../error.js'
import { secondsOf } from '../../wire/quota.js'
import { Block, type OnBlock } from './block.js'
import type { Shared } from './shared.js'
import { isRefusal, RouteWindow, type Ask, type Refusal, type Send, type Feedback } from './window.js'

/** Milliseconds that a call waits at most for room; a longer wait is answered at once. */
const NEAR = 2000

/** Milliseconds after which to look again for what other servers did. */
const POLL = 100

/** A call that may be sent, as this server counts it, and as all servers do. */
export interface Place { own: Send, shared: Send | undefined }

interface Waiter {
  call: Call
  resolve: (place: Place) => void
  reject: (error: SpotError) => void
  /** Cancels its deadline. */
  cancel: () => void
}

type Ahead = Pick<Ask, 'ahead' | 'aheadOwn'>

/** The calls of one client that wait, in their order. */
interface Line {
  client: string
  reserved: boolean
  waiting: Waiter[]
}

export interface LaneOptions {
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
export class Lane {
  readonly #route: string
  readonly #clock: Clock
  readonly #shared: Shared | undefined
  readonly #shareOf: (client: string) => number
  readonly #window = new RouteWindow()
  readonly #block: Block
  /** The next line to go first. */
  readonly #lines = new Map<string, Line>()
  #serving = false
  #again = false
  #cancelTimer = () => {}

  constructor ({ route, clock, shared, shareOf, onBlock }: LaneOptions) {
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

  /** Whether it can be forgotten. */
  get idle (): boolean {
    return this.#lines.size === 0 && this.#window.idle(this.#clock.now())
  }

  /**
   * Takes a place for a call, and waits for it where that is soon.
   *
   * @throws {SpotError} rate-limited, with the time after which there is room; expired when the call's deadline passes
   */
  async enter (call: Call): Promise<Place> {
    if (this.#clock.now() >= call.deadline) throw new SpotError({ call, outcome: 'expired' })
    const ahead = this.#ahead(call)
    const asked = this.#ask(call, ahead)
    const reply = asked instanceof Promise ? await asked : asked
    if (!isRefusal(reply)) {
      if (!call.reserved) this.#block.went()
      return reply
    }
    if (reply.wait > NEAR) throw this.#refused(call, reply)
    return new Promise((resolve, reject) => {
      const now = this.#ahead(call)
      const [line, waiter] = this.#wait(call, resolve, reject)
      // Others have asked at the same time, so it may have to wait longer than the reply said.
      if (now.ahead !== ahead.ahead || now.aheadOwn !== ahead.aheadOwn) this.#askAgain(line, waiter, now)
      if (line.waiting.length === 1) this.#serve()
    })
  }

  /** The call of this place is over, and this is what became of it. */
  leave ({ own, shared }: Place, feedback: Feedback): void {
    const now = this.#clock.now()
    this.#window.leave(now, own, feedback)
    this.#shared?.leave(this.#route, own.client, shared, feedback)
    if (typeof feedback === 'object' && feedback.blocked) this.#block.refused(this.#window.blockedFor(now))
    if (this.#lines.size > 0) this.#serve()
  }

  close (): void {
    this.#cancelTimer()
    this.#block.close()
  }

  /** Asks this server alone, or all of them, where they can be reached. */
  #ask (
    { client, reserved, deadline }: Call, ahead: Ahead = { ahead: 0, aheadOwn: 0 }
  ): Place | Refusal | Promise<Place | Refusal> {
    const ask = { client, share: this.#shareOf(client), reserved, ...ahead, lease: deadline - this.#clock.now() }
    return this.#shared ? this.#askShared(this.#shared, ask) : this.#askOwn(ask)
  }

  #askOwn (ask: Ask): Place | Refusal {
    const reply = this.#window.enter(this.#clock.now(), ask)
    return isRefusal(reply) ? reply : { own: reply, shared: undefined }
  }

  async #askShared (all: Shared, ask: Ask): Promise<Place | Refusal> {
    // A block that this server knows of holds, whatever the others know; it may come even while they are asked.
    const before = this.#blocked()
    if (before) return before
    const shared = await all.enter(this.#route, ask)
    if (!shared) return this.#askOwn(ask)
    if (isRefusal(shared)) return shared
    const blocked = this.#blocked()
    if (!blocked) return { own: this.#window.record(this.#clock.now(), ask.client), shared }
    all.leave(this.#route, ask.client, shared, 'unsent')
    return blocked
  }

  #blocked (): Refusal | undefined {
    const wait = this.#window.blockedFor(this.#clock.now())
    return wait > 0 ? { wait, held: false, limit: this.#window.limit } : undefined
  }

  /** Who goes before a call that comes now: those of its own line, and of each other one as many and one more. */
  #ahead ({ client, reserved }: Call): Ahead {
    const count = { ahead: 0, aheadOwn: 0 }
    const own = this.#lines.get(keyOf(client, reserved))
    const turns = (own?.waiting.length ?? 0) + 1
    for (const line of this.#lines.values()) {
      if (reserved && !line.reserved) continue // the reserve is not theirs
      const before = line === own ? turns - 1 : Math.min(turns, line.waiting.length)
      if (line.client === client) count.aheadOwn += before
      count.ahead += before
    }
    return count
  }

  #wait (call: Call, resolve: Waiter['resolve'], reject: Waiter['reject']): [Line, Waiter] {
    const { client, reserved, deadline } = call
    const key = keyOf(client, reserved)
    const line = this.#lines.get(key) ?? { client, reserved, waiting: [] }
    this.#lines.set(key, line)
    const cancel = deadline === Infinity
      ? () => {}
      : this.#clock.after(Math.max(0, deadline - this.#clock.now()), () => {
        this.#remove(line, waiter)
        reject(new SpotError({ call, outcome: 'expired' }))
      })
    const waiter: Waiter = { call, resolve, reject, cancel }
    line.waiting.push(waiter)
    return [line, waiter]
  }

  async #askAgain (line: Line, waiter: Waiter, ahead: Ahead): Promise<void> {
    const reply = await this.#ask(waiter.call, ahead)
    if (!isRefusal(reply)) this.#go(line, waiter, reply)
    else if (reply.wait > NEAR) this.#dismiss(line, waiter, reply)
  }

  #go (line: Line, waiter: Waiter, place: Place): void {
    if (!this.#remove(line, waiter)) return this.leave(place, 'unsent') // it has gone, or its deadline has passed
    if (!line.reserved) this.#block.went()
    waiter.resolve(place)
  }

  #dismiss (line: Line, waiter: Waiter, refusal: Refusal): void {
    if (this.#remove(line, waiter)) waiter.reject(this.#refused(waiter.call, refusal))
  }

  #remove (line: Line, waiter: Waiter): boolean {
    const index = line.waiting.indexOf(waiter)
    if (index < 0) return false
    line.waiting.splice(index, 1)
    waiter.cancel()
    if (line.waiting.length === 0) this.#lines.delete(keyOf(line.client, line.reserved))
    return true
  }

  /** Lets go whoever may, and sleeps until time alone brings more. */
  async #serve (): Promise<void> {
    this.#again = true
    if (this.#serving) return
    this.#serving = true
    this.#cancelTimer()
    let wait = Infinity
    while (this.#again) {
      this.#again = false
      wait = await this.#letGo()
    }
    this.#serving = false
    if (wait === Infinity) return
    if (this.#shared) wait = Math.min(wait, POLL)
    this.#cancelTimer = this.#clock.after(Math.max(1, Math.ceil(wait)), () => { this.#serve() })
  }

  /** @returns milliseconds until the next one may go */
  async #letGo (): Promise<number> {
    const refused = new Set<Line>()
    let least = Infinity
    for (let line; (line = this.#first(refused));) {
      const first = line.waiting[0] as Waiter
      const reply = await this.#ask(first.call)
      if (!isRefusal(reply)) {
        this.#go(line, first, reply)
        this.#toTheEnd(line)
        continue
      }
      refused.add(line)
      if (reply.wait <= NEAR) {
        least = Math.min(least, reply.wait)
        continue
      }
      for (const waiter of [...line.waiting]) this.#dismiss(line, waiter, reply)
    }
    return least
  }

  #first (refused: Set<Line>): Line | undefined {
    for (const line of this.#lines.values()) if (!refused.has(line)) return line
  }

  /** It is the turn of the other lines. */
  #toTheEnd (line: Line): void {
    const key = keyOf(line.client, line.reserved)
    if (this.#lines.delete(key)) this.#lines.set(key, line)
  }

  #refused (call: Call, { wait, held, limit }: Refusal): SpotError {
    // One client that is over its share, or the end of the reserve, is not a route that takes no more calls.
    if (!held && !call.reserved) this.#block.refused(wait)
    return new SpotError({ call, outcome: 'rate-limited', retryAfter: secondsOf(wait), limit })
  }
}

const keyOf = (client: string, reserved: boolean) => `${reserved ? '+' : '-'}${client}`
