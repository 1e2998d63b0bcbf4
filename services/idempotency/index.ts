import type { Clock } from '../spot/clock.js'
import { Problem } from '../problems/index.js'
import { randomWord } from './key.js'
import { Ledger, type Claim, type Entry, type Records } from './ledger.js'
import { look } from './look.js'
import type { Marked } from './marker.js'
import { cannotLook, duplicates, isCertainFailure, notYet, problems, unmarked, withHint } from './problems.js'
import { pathsOf, type KeyRecord, type Reply } from './record.js'
import { MarkerSearch } from './search.js'
import { rowOf, type Happening, type KeyEvent, type Step } from './states.js'
import { Watch } from './watch.js'

export { fingerprintOf, keyFromHeader, storageKeyOf } from './key.js'
export type { Records } from './ledger.js'
export { byMarker, withMarker, type Marked } from './marker.js'
export type { Reply } from './record.js'
export type { Finder } from './search.js'
export { EVENTS, type KeyEvent } from './states.js'

/** Milliseconds by which a request may outlive its deadline, or a server's clock run slower than the state's. */
const SLACK = 5000

/** A create that came with a key. */
export interface Create {
  /** Where the key is stored: `storageKeyOf`. */
  storageKey: string
  /** What is asked for: `fingerprintOf`. */
  fingerprint: string
  /** Identity of the account. */
  account: string
  operation: string
  /** When the request must be over, by the clock. */
  deadline: number
}

export interface IdempotencyOptions {
  records: Records
  clock: Clock
  /** Milliseconds after an attempt ended in which Spot may still carry it out, or show it in a list. */
  settle: number
  /** Lists all marked resources that an operation makes in an account; undefined where there are none. */
  finderOf: (account: string, operation: string) => (() => Promise<Marked>) | undefined
  onEvent: (event: KeyEvent, about: { account: string, operation: string, paths?: string[] }) => void
  /** Draws markers and claims: at least 128 bits. */
  random?: () => string
}

/**
 * Creates with a key are created once: the key is claimed before a byte leaves, and the reply kept. Where nobody
 * knows what came of it, because Spot's answer was lost or a server crashed, the marker that every attempt carries is
 * looked for: found, it is the reply; not found long after the last attempt was over, it is sent again. `states.ts` has
 * all states and what leads from one to another.
 *
 * draft-ietf-httpapi-idempotency-key-header
 */
export class Idempotency {
  readonly #options: IdempotencyOptions
  readonly #random: () => string
  readonly #ledger: Ledger
  readonly #watch: Watch
  readonly #searches = new Map<string, MarkerSearch>()

  constructor (options: IdempotencyOptions) {
    const { records, clock, settle, random = randomWord } = options
    this.#options = options
    this.#random = random
    this.#ledger = new Ledger(records, clock, (record) => this.#report('unavailable', record))
    this.#watch = new Watch({
      ledger: this.#ledger,
      clock,
      settle,
      listFor: (record) => this.#listFor(record),
      onEvent: (event, record, paths) => this.#report(event, record, event === 'duplicates' ? paths : undefined)
    })
  }

  /** Keys that this server knows to be in doubt. */
  get inDoubt (): number { return this.#watch.inDoubt }

  /** Learns which keys other servers left in doubt. @throws when the state fails */
  recall (): Promise<void> { return this.#watch.recall() }

  /** Finds out what came of creates, of those that are due. */
  sweep (): Promise<void> { return this.#watch.sweep() }

  /** Ends what is tried on in the background. */
  close (): void { this.#ledger.close() }

  /**
   * The stored reply to a key, if there is one. Spot is not asked.
   *
   * @throws {Problem} what the key stands in the way of
   */
  async replay (create: Create): Promise<Reply | undefined> {
    const { step, entry } = await this.#ask(create)
    return step === 'reply' ? entry?.record.reply : undefined
  }

  /**
   * @param send creates it with this marker, and throws a Problem where it did not
   * @returns the first reply to the key, and whether it is an earlier one
   * @throws {Problem} the one of `send`, or what the key stands in the way of
   */
  async once (
    create: Create, send: (marker: string | undefined) => Promise<Reply>
  ): Promise<{ reply: Reply, replayed: boolean }> {
    for (;;) {
      const { step, entry, list } = await this.#ask(create)
      if (step === 'reply') return { reply: entry?.record.reply as Reply, replayed: true }
      const claim = await this.#claim(create, entry)
      if (!claim) continue // somebody was faster
      const reply = entry && list && await this.#settle(create, claim, entry, list)
      if (reply) return { reply, replayed: true }
      return { reply: await this.#attempt(create, claim, send), replayed: false }
    }
  }

  /** What is to be done for a request that comes. */
  async #ask (create: Create): Promise<{ step: Step, entry?: Entry, list?: () => Promise<Reply[]> }> {
    const { storageKey, fingerprint, deadline } = create
    const entry = await this.#ledger.get(storageKey, deadline).catch(() => this.#refuse('unavailable', create))
    const state = entry?.record.state ?? 'none'
    let row = rowOf(state, entry && entry.record.fingerprint !== fingerprint ? 'asked otherwise' : 'asked')
    const list = row.step === 'look' && entry ? this.#listFor(entry.record) : undefined
    if (row.step === 'look' && !list) row = rowOf(state, 'asked unmarked')
    if (row.step === 'in-use' || row.step === 'reused') this.#refuse(row.step, create)
    if (row.step === 'unknown') throw unmarked()
    this.#report(row.event, create)
    return { step: row.step, ...entry && { entry }, ...list && { list } }
  }

  async #claim (create: Create, earlier: Entry | undefined): Promise<Claim | undefined> {
    const { storageKey, fingerprint, account, operation, deadline } = create
    const { clock, finderOf } = this.#options
    const marker = earlier ? earlier.record.marker : finderOf(account, operation) && this.#random()
    const { bornFor = 0, quietFor = 0, sent = 0 } = earlier?.record ?? {}
    const record: KeyRecord = {
      state: 'open',
      fingerprint,
      account,
      operation,
      marker,
      claim: this.#random(),
      bornFor,
      quietFor,
      sent: sent + 1,
      lookedAfter: -1,
      lease: Math.max(0, deadline - clock.now()) + SLACK
    }
    const claim = await this.#ledger.claim(storageKey, record, earlier, deadline)
      .catch(() => this.#refuse('unavailable', create))
    if (claim) this.#watch.note(storageKey, record)
    return claim
  }

  /** Sends it, under a claim, and keeps what came of it. */
  async #attempt (create: Create, claim: Claim, send: (marker: string | undefined) => Promise<Reply>): Promise<Reply> {
    const { record, earlier } = claim
    let reply: Reply
    try {
      reply = await send(record.marker)
    } catch (error) {
      if (!isCertainFailure(error)) {
        await this.#end(create, claim, 'lost', { ...record, quietFor: 0, lookedAfter: -1 })
        throw error instanceof Problem ? withHint(error, this.#listFor(record) !== undefined) : error
      }
      if (earlier) await this.#end(create, claim, 'refused again', await this.#asBefore(claim, earlier, create))
      else await this.#end(create, claim, 'refused', record)
      throw error
    }
    await this.#end(create, claim, 'created', { ...record, reply, quietFor: 0, lookedAfter: 0 })
    return reply
  }

  /**
   * Finds out what came of earlier attempts, under a claim.
   *
   * @returns the reply, or undefined: it may be sent again
   * @throws {Problem} outcome-unknown or duplicates-found
   */
  async #settle (
    create: Create, claim: Claim, earlier: Entry, list: () => Promise<Reply[]>
  ): Promise<Reply | undefined> {
    const { clock, settle } = this.#options
    const { deadline } = create
    const found = await look(claim, list, { ledger: this.#ledger, clock, settle, deadline })
    const { happening, replies: [reply], quietFor, wait } = found
    if (happening !== 'blind') earlier.record.lookedAfter = quietFor
    switch (happening) {
      case 'absent':
        this.#report(rowOf('open', happening).event, create)
        return undefined
      case 'found':
        await this.#end(create, claim, happening, { ...earlier.record, quietFor, reply })
        return reply
      case 'several':
        await this.#end(create, claim, happening, { ...earlier.record, quietFor }, pathsOf(found.replies))
        throw duplicates(pathsOf(found.replies))
      default:
        await this.#end(create, claim, happening, await this.#asBefore(claim, earlier, create))
        throw happening === 'blind' ? cannotLook() : notYet(wait)
    }
  }

  /** What is known where a claim comes to nothing: meanwhile, too, it was certain that no attempt was under way. */
  async #asBefore (claim: Claim, { record }: Entry, { deadline }: Create): Promise<KeyRecord> {
    const { quietFor } = await this.#ledger.mine(claim, deadline).catch(() => undefined) ?? claim.record
    return { ...record, quietFor }
  }

  /** Ends a claim: records what follows from what happened, and reports it. */
  async #end (create: Create, claim: Claim, happening: Happening, record: KeyRecord, paths?: string[]): Promise<void> {
    const { next, event } = rowOf('open', happening)
    const written = next === 'none' ? undefined : { ...record, state: next, lease: undefined }
    await this.#ledger.end(claim, written, create.deadline)
    this.#watch.note(create.storageKey, written)
    this.#report(event, create, paths)
  }

  /** Lists what a key made; undefined where that cannot be done. */
  #listFor ({ account, operation, marker }: KeyRecord): (() => Promise<Reply[]>) | undefined {
    const list = this.#options.finderOf(account, operation)
    if (marker === undefined || !list) return undefined
    const name = `${account} ${operation}`
    const search = this.#searches.get(name) ?? new MarkerSearch(this.#options.clock)
    this.#searches.set(name, search)
    return () => search.look(marker, list)
  }

  #refuse (event: keyof typeof problems, create: Create): never {
    this.#report(event, create)
    const { problem, ...details } = problems[event]
    throw new Problem(problem, details)
  }

  #report (event: KeyEvent | undefined, { account, operation }: Create | KeyRecord, paths?: string[]): void {
    if (event) this.#options.onEvent(event, { account, operation, ...paths && { paths } })
  }
}
