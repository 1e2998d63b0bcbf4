import { sleep, withDeadline, type Clock } from '../spot/clock.js'
import { asOfNow, KEY_TTL, MIN_RECORD_TTL, type KeyRecord } from './record.js'

/** What is needed of `services/state`. After a `swap` or `remove` that failed, nobody knows whether it was done. */
export interface Records {
  get (key: string): Promise<{ value: string, version: number, age: number } | undefined>
  swap (key: string, expected: number | undefined, value: string, ttl: number): Promise<number | undefined>
  remove (key: string, expected: number): Promise<boolean>
  all (): AsyncIterable<[key: string, { value: string, age: number }]>
}

export interface Entry { record: KeyRecord, version: number }

/** A key that this request has claimed, and the record that was there before. */
export interface Claim extends Entry { key: string, at: number, earlier: Entry | undefined }

/** A claim whose version may be unknown, because the state did not answer. */
type MaybeClaim = Omit<Claim, 'version'> & { version: number | undefined }

/** Milliseconds until a failed write is retried: at first, and at most. */
const BACKOFF = { first: 100, most: 10_000 }

/** Milliseconds that a call which ends a claim may take though the deadline has passed. */
const GRACE = 100

/** The records of keys. Every call ends by the deadline it is given, or throws. */
export class Ledger {
  readonly #records: Records
  readonly #clock: Clock
  readonly #onFailure: (record: KeyRecord) => void
  #closed = false

  /** @param onFailure a record could not be written, and is retried */
  constructor (records: Records, clock: Clock, onFailure: (record: KeyRecord) => void) {
    this.#records = records
    this.#clock = clock
    this.#onFailure = onFailure
  }

  async get (key: string, deadline = Infinity): Promise<Entry | undefined> {
    const found = await this.#withDeadline(deadline, this.#records.get(key))
    return found && { record: asOfNow(found.value, found.age), version: found.version }
  }

  /** All records; for the start and housekeeping. */
  async * all (): AsyncIterable<[key: string, KeyRecord]> {
    for await (const [key, { value, age }] of this.#records.all()) yield [key, asOfNow(value, age)]
  }

  /** Writes a record unless somebody was faster. @returns whether it was written */
  async replace (key: string, { version }: Entry, record: KeyRecord): Promise<boolean> {
    return await this.#swap(key, version, record) !== undefined
  }

  /**
   * @returns undefined when somebody was faster
   * @throws when the claim may not be there: nothing must be sent
   */
  async claim (
    key: string, record: KeyRecord, earlier: Entry | undefined, deadline: number
  ): Promise<Claim | undefined> {
    const claim = { key, record, earlier, at: this.#clock.now() }
    try {
      const version = await this.#withDeadline(deadline, this.#swap(key, earlier?.version, record))
      return version === undefined ? undefined : { ...claim, version }
    } catch (error) {
      // Either the answer was lost or the claim: the record shows which.
      const there = await this.get(key, deadline).catch((error) => {
        // The claim may stand: put back what was there, so that the key is not in use for nothing.
        this.#retry(claim, earlier?.record)
        throw error
      })
      if (there?.record.claim === record.claim) return { ...claim, version: there.version }
      if (there?.version === earlier?.version) throw error
      return undefined
    }
  }

  /** The record of a claim as of now; undefined when it has gone over to somebody else. */
  async mine ({ key, record }: Claim, deadline: number): Promise<KeyRecord | undefined> {
    const there = await this.get(key, this.#grace(deadline))
    return there?.record.claim === record.claim ? there.record : undefined
  }

  /**
   * Ends a claim. If the state fails, it is retried in the background; the caller waits only for the first try.
   *
   * @param next undefined: the key is as if it had never come
   */
  async end (claim: Claim, next: KeyRecord | undefined, deadline: number): Promise<void> {
    try {
      await this.#withDeadline(this.#grace(deadline), this.#write(claim, next))
    } catch {
      this.#onFailure(claim.record)
      this.#retry(claim, next)
    }
  }

  close (): void {
    this.#closed = true
  }

  async #retry (claim: Omit<Claim, 'version'>, next: KeyRecord | undefined): Promise<void> {
    for (let wait = BACKOFF.first; ; wait = Math.min(2 * wait, BACKOFF.most)) {
      await sleep(this.#clock, wait)
      if (this.#closed) return
      try {
        return await this.#write({ ...claim, version: undefined }, next)
      } catch {}
    }
  }

  async #write ({ key, at, ...mine }: MaybeClaim, next: KeyRecord | undefined): Promise<void> {
    let { version, record: { bornFor } } = mine
    bornFor += this.#clock.now() - at
    for (;;) {
      if (version === undefined) {
        const there = await this.get(key)
        const isMine = there?.record.claim === mine.record.claim && ['open', 'unknown'].includes(there.record.state)
        if (!isMine) return // written before its answer was lost, or gone over to somebody else
        version = there.version
        bornFor = there.record.bornFor
      }
      const written = next
        ? await this.#swap(key, version, { ...next, bornFor })
        : await this.#records.remove(key, version)
      if (written) return
      version = undefined
    }
  }

  #swap (key: string, expected: number | undefined, record: KeyRecord): Promise<number | undefined> {
    const { bornFor, lease = 0 } = record
    const ttl = Math.ceil(Math.max(KEY_TTL - bornFor, MIN_RECORD_TTL) + lease)
    return this.#records.swap(key, expected, JSON.stringify(record), ttl)
  }

  #grace (deadline: number): number {
    return Math.max(deadline, this.#clock.now() + GRACE)
  }

  #withDeadline<T> (deadline: number, result: Promise<T>): Promise<T> {
    return withDeadline(this.#clock, deadline, result, () => new Error('The state did not answer before the deadline.'))
  }
}
