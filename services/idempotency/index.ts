import { setTimeout as sleep } from 'node:timers/promises'
import { Problem } from '../problems.js'
import type { State, Version } from '../state/index.js'
import { markerOf } from './key.js'
import { Looks, type Marked } from './looks.js'
import { isRefusal, problems, unknown, withHint } from './problems.js'
import { dueAt, isDoubtful, pathsOf, readRecord, type Answer, type KeyRecord } from './record.js'

export { fingerprintOf, markerOf, placeOf, wordOf } from './key.js'
export type { Finder, Marked } from './looks.js'
export type { Answer } from './record.js'

/** Milliseconds that an answer is given again, and that a key is remembered in any case. */
const KEPT = 24 * 3600_000

/** Milliseconds by which the clocks of two servers may differ, or a request outlive its deadline. */
const SLACK = 5000

/** What came of a request with a key. A label of the metrics, so the set is closed. */
export const EVENTS = [
  'created', 'refused', 'replayed', 'in-use', 'reused', 'unknown', 'found', 'absent', 'duplicates', 'unavailable'
] as const
export type KeyEvent = typeof EVENTS[number]

/** A create that came with a key. */
export interface Create {
  /** Where the key is remembered: `placeOf`. */
  place: string
  /** What is asked for: `fingerprintOf`. */
  fingerprint: string
  account: string
  operation: string
  /** When the request must be over, by `performance.now()`. */
  deadline: number
}

export interface IdempotencyOptions {
  store: State
  /** Milliseconds between the two looks that must find nothing before a create is sent again. */
  settle: number
  /** Lists all marked resources that an operation makes in an account; undefined where they can not be told. */
  lists: (account: string, operation: string) => (() => Promise<Marked>) | undefined
  tell: (event: KeyEvent, about: { account: string, operation: string, paths?: string[] }) => void
}

type Unsettled = { state: 'unknown', lookedAt?: number | undefined } | { state: 'duplicates' }
type Open = { version: Version, record: KeyRecord }

/**
 * Creates with a key are created once: the key is claimed before a byte leaves, and its answer kept. Where what came of
 * it is not known, because Spot's answer was lost or this server fell over, the marker that every such resource
 * carries is looked for: found, it is the answer; not found twice, a while apart, it may be sent again.
 *
 * draft-ietf-httpapi-idempotency-key-header
 */
export class Idempotency {
  readonly #options: IdempotencyOptions
  readonly #looks = new Map<string, Looks>()
  /** Places of keys that `sweep` has to look into. */
  readonly #doubts = new Set<string>()

  constructor (options: IdempotencyOptions) {
    this.#options = options
  }

  /**
   * @param send creates it, and throws a Problem where it did not
   * @returns the first answer to the key, and whether it is an earlier one
   * @throws {Problem} the one of `send`, or what the key stands in the way of
   */
  async once (create: Create, send: () => Promise<Answer>): Promise<{ answer: Answer, replayed: boolean }> {
    const { place, fingerprint, account, operation, deadline } = create
    for (;;) {
      const stored = await this.#stored(() => this.#options.store.get(place), create)
      const now = Date.now()
      const open: KeyRecord = {
        fingerprint, account, operation, at: now, state: 'open', until: now + deadline - performance.now() + SLACK
      }
      const record = stored && readRecord(stored.value)
      if (record && record.fingerprint !== fingerprint) throw this.#problem('reused', create)
      if (record?.state === 'answered') {
        this.#tell('replayed', create)
        return { answer: record.answer, replayed: true }
      }
      if (record?.state === 'open' && record.until > now) throw this.#problem('in-use', create)

      const claim = { ...open, at: record?.at ?? now }
      const version = await this.#stored(() => this.#write(place, stored?.version, claim), create)
      if (version === undefined) continue // somebody was faster
      const mine = { version, record: claim }
      if (record === undefined) return this.#attempt(create, mine, send)
      if (record.state !== 'absent') {
        const lookedAt = record.state === 'unknown' ? record.lookedAt : undefined
        const { answer } = await this.#settle(place, mine, lookedAt, deadline)
        if (answer) return { answer, replayed: true }
      }
      return this.#attempt(create, mine, send, Date.now() + this.#options.settle)
    }
  }

  /**
   * Learns what other servers, or this one before it fell over, left in doubt.
   *
   * @throws {StateError}
   */
  async recall (): Promise<void> {
    for await (const [place, { value }] of this.#options.store.all()) {
      if (isDoubtful(readRecord(value))) this.#doubts.add(place)
    }
  }

  /**
   * Finds out what came of the creates that are in doubt: one look at each that is due.
   *
   * @throws {StateError}
   */
  async sweep (): Promise<void> {
    // All at once, so that they share their looks.
    await Promise.all([...this.#doubts].map(async (place) => {
      const stored = await this.#options.store.get(place)
      const record = stored && readRecord(stored.value)
      if (!record || !isDoubtful(record) || !this.#looksOf(record)) this.#doubts.delete(place)
      else if (dueAt(record, this.#options.settle) <= Date.now()) await this.#review(place, { ...stored, record })
    }))
  }

  async #review (place: string, { version, record }: Open): Promise<void> {
    if (record.state === 'answered') {
      const answers = await this.#looksOf(record)?.look(markerOf(place)).catch(() => undefined)
      if (answers === undefined) return
      if (answers.length > 1) this.#tell('duplicates', record, pathsOf(answers))
      await this.#write(place, version, { ...record, checkAt: undefined })
      return
    }
    const claim: KeyRecord = { ...record, state: 'open', until: Date.now() + SLACK * 3 }
    const claimed = await this.#write(place, version, claim)
    if (claimed === undefined) return
    const lookedAt = record.state === 'unknown' ? record.lookedAt : undefined
    try {
      const { answer } = await this.#settle(place, { version: claimed, record: claim }, lookedAt, 0)
      if (!answer) await this.#write(place, claimed, { ...record, state: 'absent' })
    } catch (error) {
      if (!(error instanceof Problem)) throw error // it is still in doubt, and its turn comes again
    }
  }

  /**
   * Sends it, under a claim, and keeps what came of it.
   *
   * @param checkAt set where it was sent before, and not found: when to look whether it came after all
   */
  async #attempt (create: Create, { version, record }: Open, send: () => Promise<Answer>, checkAt?: number) {
    const { store } = this.#options
    // Whatever happens from here on, this server looks into it in the end.
    this.#doubts.add(create.place)
    let answer: Answer
    try {
      answer = await send()
    } catch (error) {
      if (isRefusal(error)) {
        // If this fails, the claim runs out and is looked into.
        const forget = checkAt === undefined
          ? store.remove(create.place, version)
          : this.#write(create.place, version, { ...record, state: 'absent' })
        await forget.catch(() => {})
        this.#tell('refused', create)
        throw error
      }
      await this.#write(create.place, version, { ...record, state: 'unknown' }).catch(() => {})
      this.#tell('unknown', create)
      throw error instanceof Problem ? withHint(error, this.#looksOf(create) !== undefined) : error
    }
    // It is created, whether or not that can be kept: then the claim runs out, and the marker is found.
    await this.#write(create.place, version, { ...record, state: 'answered', answer, checkAt })
      .catch(() => this.#tell('unavailable', create))
    this.#tell('created', create)
    return { answer, replayed: false }
  }

  /**
   * Finds out what came of a create, by looking for its marker.
   *
   * @param lookedAt when that was done before, in vain
   * @param deadline how long the second look may be waited for, by `performance.now()`
   * @returns the answer, or none: then it may be sent again
   * @throws {Problem} outcome-unknown, or duplicates-found
   */
  async #settle (
    place: string, { version, record }: Open, lookedAt: number | undefined, deadline: number
  ): Promise<{ answer?: Answer }> {
    const { settle } = this.#options
    const looks = this.#looksOf(record)
    const giveUp = async (problem: Problem, left: Unsettled) => {
      await this.#write(place, version, { ...record, ...left }).catch(() => {})
      throw problem
    }
    if (!looks) {
      const problem = unknown({ detail: 'What came of the request with this key is not known.' }, false)
      return giveUp(problem, { state: 'unknown' })
    }

    for (;;) {
      const now = Date.now()
      const answers = await looks.look(markerOf(place)).catch(() => giveUp(unknown({
        detail: 'What came of the request with this key is not known, and Spot can not be asked now.'
      }, true), { state: 'unknown', lookedAt }))
      const [answer, ...more] = answers
      if (answer && more.length === 0) {
        await this.#write(place, version, { ...record, state: 'answered', answer }).catch(() => {})
        this.#tell('found', record)
        return { answer }
      }
      if (answer) {
        const paths = pathsOf(answers)
        this.#tell('duplicates', record, paths)
        await giveUp(new Problem('duplicates-found', {
          detail: `Spot has ${paths.length} resources that were made with this key.`,
          hint: `Delete all but one of ${paths.join(', ')}, then send the request again.`
        }), { state: 'duplicates' })
      }
      if (lookedAt !== undefined && now - lookedAt >= settle) {
        this.#tell('absent', record)
        return {}
      }
      lookedAt ??= now
      const wait = lookedAt + settle - Date.now()
      if (wait > (deadline - performance.now()) / 2) {
        await giveUp(unknown({
          detail: 'What came of the request with this key is not known yet: Spot does not show it, but may yet do it.',
          headers: { 'retry-after': String(Math.max(1, Math.ceil(wait / 1000))) }
        }, true), { state: 'unknown', lookedAt })
      }
      await sleep(wait)
    }
  }

  #looksOf ({ account, operation }: { account: string, operation: string }): Looks | undefined {
    const name = `${account} ${operation}`
    const known = this.#looks.get(name)
    if (known) return known
    const list = this.#options.lists(account, operation)
    if (!list) return undefined
    const looks = new Looks(list)
    this.#looks.set(name, looks)
    return looks
  }

  #write (place: string, expected: Version | undefined, record: KeyRecord): Promise<Version | undefined> {
    return this.#options.store.swap(place, expected, JSON.stringify(record), KEPT)
  }

  /** What the store says. @throws {Problem} state-unavailable when it says nothing: then nothing is sent either */
  async #stored<T> (ask: () => Promise<T>, create: Create): Promise<T> {
    try {
      return await ask()
    } catch {
      throw this.#problem('unavailable', create)
    }
  }

  #problem (event: keyof typeof problems, about: Create): Problem {
    this.#tell(event, about)
    const { problem, ...details } = problems[event]
    return new Problem(problem, details)
  }

  #tell (event: KeyEvent, { account, operation }: { account: string, operation: string }, paths?: string[]): void {
    this.#options.tell(event, { account, operation, ...paths && { paths } })
  }
}
