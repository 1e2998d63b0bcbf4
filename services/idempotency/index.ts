import type { Clock } from '../spot/clock.js'
import { Problem } from '../problems/index.js'
import { randomWord } from './key.js'
import { Ledger, type Claim, type Entry, type Records } from './ledger.js'
import type { Marked } from './marker.js'
import { cannotSearch, duplicates, isCertainFailure, notYet, problems, unmarked, withHint } from './problems.js'
import { pathsOf, type KeyRecord, type Reply } from './record.js'
import { searchForMarker } from './search-for-marker.js'
import { MarkerSearch } from './search.js'
import { rowOf, type Action, type KeyEvent, type Trigger } from './states.js'
import { Watch } from './watch.js'

export { fingerprintOf, keyFromHeader, storageKeyOf } from './key.js'
export type { Records } from './ledger.js'
export { byMarker, withMarker, type Marked } from './marker.js'
export type { Reply } from './record.js'
export type { Finder } from './search.js'
export { EVENTS, type KeyEvent } from './states.js'

/** Milliseconds by which a request may outlive its deadline, or a server's clock run slower than the state's. */
const LEASE_MARGIN = 5000

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
  /** Finds all marked resources that an operation makes in an account; undefined where they carry no marker. */
  finderOf: (account: string, operation: string) => (() => Promise<Marked>) | undefined
  onEvent: (event: KeyEvent, about: { account: string, operation: string, paths?: string[] }) => void
  /** Draws markers and claims: at least 128 bits. */
  random?: () => string
}

/**
 * Creates with a key are created once: the key is claimed before a byte leaves, and the reply kept. Where nobody knows
 * the outcome, because Spot's answer was lost or a server crashed, the server searches for the marker that every
 * attempt carries: found, it is the reply; not found long after the last attempt was over, it is sent again.
 * `states.ts` has all states and what leads from one to another.
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
      searchFor: (record) => this.#searchFor(record),
      onEvent: (event, record, paths) => this.#report(event, record, event === 'duplicates' ? paths : undefined)
    })
  }

  /** Keys that this server knows to be in doubt. */
  get inDoubt (): number { return this.#watch.inDoubt }

  /** Learns which keys other servers left in doubt. @throws when the state fails */
  recall (): Promise<void> { return this.#watch.recall() }

  /** Runs every search that is due. */
  sweep (): Promise<void> { return this.#watch.sweep() }

  /** Stops background retries. */
  close (): void { this.#ledger.close() }

  /**
   * The stored reply to a key, if there is one. Spot is not asked.
   *
   * @throws {Problem} idempotency-key-in-use, idempotency-key-reused, outcome-unknown or state-unavailable
   */
  async replay (create: Create): Promise<Reply | undefined> {
    const { action, entry } = await this.#decide(create)
    return action === 'reply' ? entry?.record.reply : undefined
  }

  /**
   * @param send creates it with this marker, and throws a Problem where it did not
   * @returns the first reply to the key, and whether it is an earlier one
   * @throws {Problem} the one of `send`, those of `replay`, or duplicates-found
   */
  async once (
    create: Create, send: (marker: string | undefined) => Promise<Reply>
  ): Promise<{ reply: Reply, replayed: boolean }> {
    for (;;) {
      const { action, entry, search } = await this.#decide(create)
      if (action === 'reply') return { reply: entry?.record.reply as Reply, replayed: true }
      const claim = await this.#claim(create, entry)
      if (!claim) continue // somebody was faster
      const reply = entry && search && await this.#resolveEarlierAttempts(create, claim, entry, search)
      if (reply) return { reply, replayed: true }
      return { reply: await this.#attempt(create, claim, send), replayed: false }
    }
  }

  /** What to do for a request that comes. */
  async #decide (create: Create): Promise<{ action: Action, entry?: Entry, search?: () => Promise<Reply[]> }> {
    const { storageKey, fingerprint, deadline } = create
    const entry = await this.#ledger.get(storageKey, deadline).catch(() => this.#refuse('unavailable', create))
    const state = entry?.record.state ?? 'none'
    let row = rowOf(state, entry && entry.record.fingerprint !== fingerprint ? 'asked otherwise' : 'asked')
    const search = row.action === 'search' && entry ? this.#searchFor(entry.record) : undefined
    if (row.action === 'search' && !search) row = rowOf(state, 'asked unmarked')
    if (row.action === 'in-use' || row.action === 'reused') this.#refuse(row.action, create)
    if (row.action === 'unknown') throw unmarked()
    this.#report(row.event, create)
    return { action: row.action, ...entry && { entry }, ...search && { search } }
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
      lease: Math.max(0, deadline - clock.now()) + LEASE_MARGIN
    }
    const claim = await this.#ledger.claim(storageKey, record, earlier, deadline)
      .catch(() => this.#refuse('unavailable', create))
    if (claim) this.#watch.note(storageKey, record)
    return claim
  }

  /** Sends the create, under a claim, and keeps the outcome. */
  async #attempt (create: Create, claim: Claim, send: (marker: string | undefined) => Promise<Reply>): Promise<Reply> {
    const { record, earlier } = claim
    let reply: Reply
    try {
      reply = await send(record.marker)
    } catch (error) {
      if (!isCertainFailure(error)) {
        await this.#end(create, claim, 'lost', { ...record, quietFor: 0, lookedAfter: -1 })
        throw error instanceof Problem ? withHint(error, this.#searchFor(record) !== undefined) : error
      }
      if (earlier) await this.#end(create, claim, 'refused again', await this.#restoredRecord(claim, earlier, create))
      else await this.#end(create, claim, 'refused', record)
      throw error
    }
    await this.#end(create, claim, 'created', { ...record, reply, quietFor: 0, lookedAfter: 0 })
    return reply
  }

  /**
   * Searches, under a claim, for what earlier attempts made.
   *
   * @returns the reply, or undefined: it may be sent again
   * @throws {Problem} outcome-unknown or duplicates-found
   */
  async #resolveEarlierAttempts (
    create: Create, claim: Claim, earlier: Entry, search: () => Promise<Reply[]>
  ): Promise<Reply | undefined> {
    const { clock, settle } = this.#options
    const { deadline } = create
    const found = await searchForMarker(claim, search, { ledger: this.#ledger, clock, settle, deadline })
    const { trigger, replies: [reply], quietFor, wait } = found
    // Kept even if the attempt that follows is refused: this search counts.
    if (trigger !== 'blind') earlier.record.lookedAfter = quietFor
    switch (trigger) {
      case 'absent':
        this.#report(rowOf('open', trigger).event, create)
        return undefined
      case 'found':
        await this.#end(create, claim, trigger, { ...earlier.record, quietFor, reply })
        return reply
      case 'several':
        await this.#end(create, claim, trigger, { ...earlier.record, quietFor }, pathsOf(found.replies))
        throw duplicates(pathsOf(found.replies))
      default:
        await this.#end(create, claim, trigger, await this.#restoredRecord(claim, earlier, create))
        throw trigger === 'blind' ? cannotSearch() : notYet(wait)
    }
  }

  /** The record to put back when this claim sent nothing: the earlier one, with the quiet time since. */
  async #restoredRecord (claim: Claim, { record }: Entry, { deadline }: Create): Promise<KeyRecord> {
    const { quietFor } = await this.#ledger.mine(claim, deadline).catch(() => undefined) ?? claim.record
    return { ...record, quietFor }
  }

  /** Ends a claim: records the next state, and reports the event. */
  async #end (create: Create, claim: Claim, trigger: Trigger, record: KeyRecord, paths?: string[]): Promise<void> {
    const { next, event } = rowOf('open', trigger)
    const written = next === 'none' ? undefined : { ...record, state: next, lease: undefined }
    await this.#ledger.end(claim, written, create.deadline)
    this.#watch.note(create.storageKey, written)
    this.#report(event, create, paths)
  }

  /** Searches for what a key made; undefined where that cannot be done. */
  #searchFor ({ account, operation, marker }: KeyRecord): (() => Promise<Reply[]>) | undefined {
    const find = this.#options.finderOf(account, operation)
    if (marker === undefined || !find) return undefined
    const name = `${account} ${operation}`
    const search = this.#searches.get(name) ?? new MarkerSearch(this.#options.clock)
    this.#searches.set(name, search)
    return () => search.search(marker, find)
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
