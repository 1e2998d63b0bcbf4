import { HANGING_AFTER } from '../../call.js'
import { WINDOW, type Quota } from '../../wire/quota.js'

/** Milliseconds by which Spot may count differently: it counts on arrival, by its own clock, and rounds its resets. */
export const CLOCK_SLACK = 1000

/** Milliseconds for which a send stays in the window after its call ended. */
export const SEND_COUNTS_FOR = WINDOW + CLOCK_SLACK

/** Calls that may be under way at once while no limit is known. */
export const CALLS_WITHOUT_LIMIT = 10

/** Milliseconds that are added to the reset at most while Spot keeps answering 429. */
export const LONGEST_BACKOFF = 60_000

/** Milliseconds after which a limit that was not confirmed is forgotten. */
export const DAY = 24 * 3600_000

/** Part of the limit that is kept for reads which guard a write or look for a marker. */
export const RESERVE = 0.1

/** Who wants to send a call. */
export interface Ask {
  client: string
  /** Part of the limit that the client may hold, from 0 to 1. */
  share: number
  /** Whether it may use the reserve. */
  reserved: boolean
  /** Calls that wait in front of it: of all clients, and of its own. */
  ahead: number
  aheadOwn: number
  /** Milliseconds within which the call ends for certain. */
  lease: number
}

/** A call that may be sent, and what was known when it was. */
export interface Send {
  client: string
  begunAt: number
  /** Sends of ours that Spot may count when this one arrives, this one included. */
  inWindow: number
  /** How many this route had sent, this one included; what was never sent is taken back. */
  number: number
  /** How many of those had ended. */
  endedBefore: number
}

/** A call that may not be sent now. */
export interface Refusal {
  /** Milliseconds until there is room, as far as that is known. */
  wait: number
  /** Whether the client has used up its share. */
  held: boolean
  /** Calls in a window, where that is known. */
  limit: number | undefined
}

/** What became of a call: what Spot reported of its limit, nothing, or that the call never reached Spot. */
export type Feedback = Quota | undefined | 'unsent'

export const isRefusal = (reply: object): reply is Refusal => 'wait' in reply

/** Sends of the last minute: calls under way, and when each of the others leaves, in order. */
class Sends {
  #leaves: number[] = []
  #head = 0
  #recent = 0
  underWay = 0

  size (now: number): number {
    while ((this.#leaves[this.#head] ?? Infinity) <= now) this.#head++
    if (this.#head > 1024 && this.#head > this.#leaves.length / 2) {
      this.#leaves = this.#leaves.slice(this.#head)
      this.#recent = Math.max(0, this.#recent - this.#head)
      this.#head = 0
    }
    return this.#leaves.length - this.#head + this.underWay
  }

  /** Those that may be in Spot's window: all but the ones that ended before it began. */
  recent (now: number): number {
    this.#recent = Math.max(this.#recent, this.#head)
    while ((this.#leaves[this.#recent] ?? Infinity) <= now + CLOCK_SLACK) this.#recent++
    return this.#leaves.length - this.#recent + this.underWay
  }

  end (now: number): void {
    this.underWay--
    this.#leaves.push(now + SEND_COUNTS_FOR)
  }

  /** When `count` more will have left; Infinity where that is up to calls under way. Ask for the size first. */
  leavesAt (count: number): number {
    return count <= 0 ? -Infinity : this.#leaves[this.#head + count - 1] ?? Infinity
  }
}

interface OwnSend extends Send { takenBack?: boolean }

/**
 * The rules for one route, by what is known for certain: what was sent, and what Spot reported. All times are
 * milliseconds by one clock that is never set back. Memory is bounded by the calls of about a minute. A call is counted
 * in constant time; a new client costs one pass over the known ones.
 */
export class RouteWindow {
  #limit: number | undefined
  #confirmedAt = 0
  /** When the call was sent whose answer is the newest. */
  #newest = 0
  #others = 0
  #othersUntil = 0
  /** Until then the estimate of the others' calls may only fall if a newer answer says so. */
  #provenUntil = 0
  #blockedUntil = 0
  /** Answers 429 in a row, those of one burst counted once. While there are any, one call at a time probes. */
  #trips = 0
  #probeAt = 0
  readonly #ours = new Sends()
  readonly #clients = new Map<string, Sends>()
  /** Calls that were sent while no limit was known, and are under way. */
  readonly #young = new Set<OwnSend>()
  /** Sends of all time; those that ended; those that began more than a window ago. */
  #sent = 0
  #ended = 0
  #past = 0
  #begun: OwnSend[] = []
  #head = 0

  /** Counts a call as sent if there is room. */
  enter (now: number, ask: Ask): Send | Refusal {
    return this.#refusal(now, ask) ?? this.record(now, ask.client)
  }

  #refusal (now: number, { client, share, reserved, ahead, aheadOwn }: Ask): Refusal | undefined {
    const limit = this.#limitAt(now)
    const refusal = (wait: number, held = false) =>
      ({ wait: Math.max(0, wait), held, limit: limit === Infinity ? undefined : limit })
    const probe = this.#trips > 0
    if (now < this.#blockedUntil) return refusal(this.#blockedUntil - now)
    const probeEnds = this.#probeAt + HANGING_AFTER
    if (probe && (ahead > 0 || now < probeEnds)) return refusal(probeEnds - now)
    if (limit === Infinity) return undefined
    if (limit === undefined) {
      const oldest = this.#oldestYoung(now)
      return this.#young.size + ahead < CALLS_WITHOUT_LIMIT
        ? undefined
        : refusal((oldest?.begunAt ?? -HANGING_AFTER) + HANGING_AFTER - now)
    }

    const reserve = Math.floor(limit * RESERVE)
    const own = this.#clients.get(client)
    const others = probe ? 0 : this.#othersAt(now) // Spot itself said that there is room for one
    const lacks = this.#ours.size(now) + others + ahead + 1 - (reserved ? limit : limit - reserve)
    const lacksOwn = (own?.size(now) ?? 0) + aheadOwn + 1 -
      Math.ceil(Math.max(1, share * limit)) - (reserved ? reserve : 0)
    if (lacks <= 0 && lacksOwn <= 0) return undefined
    // Room comes when enough of ours have left, or when fewer have and the others' calls are over.
    const room = Math.min(this.#ours.leavesAt(lacks), Math.max(this.#ours.leavesAt(lacks - others), this.#othersUntil))
    const until = Math.max(lacks > 0 ? room : now, lacksOwn > 0 ? own?.leavesAt(lacksOwn) ?? Infinity : now)
    return refusal(Math.min(until - now, SEND_COUNTS_FOR), lacksOwn > 0 && share < 1)
  }

  /** Counts a call that is sent, whether there was room or not. */
  record (now: number, client: string): Send {
    if (this.#trips > 0) this.#probeAt = now
    const own = this.#clients.get(client) ?? this.#newClient(now, client)
    own.underWay++
    this.#ours.underWay++
    const inWindow = this.#ours.recent(now)
    const send = { client, begunAt: now, inWindow, number: ++this.#sent, endedBefore: this.#ended }
    this.#begun.push(send)
    this.#advancePast(now)
    if (this.#limit === undefined) this.#young.add(send)
    return send
  }

  /** Counts the end of a call, and learns from it. Calls end in any order. */
  leave (now: number, send: Send, feedback: Feedback): void {
    this.#young.delete(send)
    const counts = [this.#ours, this.#clients.get(send.client)]
    if (feedback === 'unsent') {
      for (const sends of counts) if (sends) sends.underWay--
      this.#takeBack(now, send)
      return
    }
    for (const sends of counts) sends?.end(now)
    this.#ended++
    if (feedback) this.#learn(now, send, feedback)
  }

  #learn (now: number, send: Send, { limit, remaining, reset, blocked }: Quota): void {
    const { begunAt, inWindow, number, endedBefore } = send
    const newest = begunAt >= this.#newest
    if (newest) this.#newest = begunAt
    // No headers mean no limit, but do not revoke a limit that was reported before.
    if (limit !== undefined && (this.#limit === undefined || (newest && limit < Infinity))) {
      this.#limit = limit
      this.#confirmedAt = now
    }
    if (blocked) {
      this.#trips = begunAt >= this.#blockedUntil ? this.#trips + 1 : Math.max(this.#trips, 1)
      const backoff = Math.min(CLOCK_SLACK * 2 ** (this.#trips - 1), LONGEST_BACKOFF)
      this.#blockedUntil = Math.max(this.#blockedUntil, now + reset + backoff)
      this.#probeAt = 0
      return
    }
    if (begunAt >= this.#blockedUntil) this.#trips = 0
    if (limit === undefined || limit === Infinity) return
    // `counted` includes this call. `least`: others must have made the rest even if Spot counted every send of ours
    // that it may have seen. `most`: the same with only those it must have seen, which ended before this one was sent
    // and are still in the window.
    const counted = limit - remaining
    const least = Math.max(0, counted - inWindow - (this.#sent - number))
    const most = counted - 1 - Math.max(0, endedBefore - this.#advancePast(now))
    const others = this.#othersAt(now)
    if (least >= others || now >= this.#provenUntil) {
      this.#others = least
      this.#provenUntil = now + WINDOW
    } else {
      this.#others = newest ? Math.max(least, Math.min(others, most)) : others
    }
    this.#othersUntil = now + WINDOW
  }

  /** Calls in a window, where that is known. */
  get limit (): number | undefined {
    return this.#limit === Infinity ? undefined : this.#limit
  }

  /** Milliseconds for which nothing may be sent, since Spot answered 429. */
  blockedFor (now: number): number {
    return Math.max(0, this.#blockedUntil - now)
  }

  /** Calls that may be sent now, the reserve included: after a 429, one. Undefined where no limit is known. */
  remaining (now: number): number | undefined {
    const limit = this.#limitAt(now)
    if (limit === undefined || limit === Infinity) return undefined
    if (now < this.#blockedUntil) return 0
    if (this.#trips > 0) return now < this.#probeAt + HANGING_AFTER ? 0 : 1
    return Math.max(0, limit - this.#ours.size(now) - this.#othersAt(now))
  }

  /** Whether it holds no send and no block. */
  idle (now: number): boolean {
    return this.#ours.size(now) === 0 && now >= this.#blockedUntil
  }

  #limitAt (now: number): number | undefined {
    if (now - this.#confirmedAt >= DAY) this.#limit = undefined
    return this.#limit
  }

  /** Calls in Spot's window that are not ours: they have left it a minute after the answer that reported them. */
  #othersAt = (now: number): number => now < this.#othersUntil ? this.#others : 0

  #oldestYoung (now: number): OwnSend | undefined {
    for (const send of this.#young) {
      if (now < send.begunAt + HANGING_AFTER) return send
      this.#young.delete(send)
    }
  }

  #newClient (now: number, client: string): Sends {
    for (const [name, sends] of this.#clients) if (sends.size(now) === 0) this.#clients.delete(name)
    const sends = new Sends()
    this.#clients.set(client, sends)
    return sends
  }

  #takeBack (now: number, send: OwnSend): void {
    if (send.begunAt === this.#probeAt) this.#probeAt = 0 // the next call probes instead
    this.#sent--
    this.#advancePast(now)
    if (send.begunAt <= now - WINDOW) this.#past--
    else send.takenBack = true
  }

  /** Counts the sends that began more than a window ago. @returns how many there were */
  #advancePast (now: number): number {
    for (let send; (send = this.#begun[this.#head]) && send.begunAt <= now - WINDOW; this.#head++) {
      if (!send.takenBack) this.#past++
    }
    if (this.#head > 1024 && this.#head > this.#begun.length / 2) {
      this.#begun = this.#begun.slice(this.#head)
      this.#head = 0
    }
    return this.#past
  }
}
