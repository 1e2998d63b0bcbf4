import { LRUCache } from 'lru-cache'
import type { Answer } from '../../answer.js'
import { HANGING_AFTER, isWrite, type Call } from '../../call.js'
import { sleep, withDeadline, type Clock } from '../../clock.js'
import { SpotError } from '../../error.js'
import type { Next, Stage } from '../../stage.js'
import { outcomes } from '../../wire/outcomes.js'
import { readBy, writtenBy } from './names.js'
import { areUnchanged, areUsable, type Stamps, type StampValues } from './stamps.js'

/** Characters of Spot's answers that are remembered, about. */
const MAX_CHARACTERS = 128 * 1024 * 1024

/** Milliseconds that what Spot said counts as fresh, and that it may stand in when Spot cannot be asked. */
export interface ReadSettings { freshFor: number, staleFor: number }

export interface MemoryOptions extends ReadSettings {
  /** Milliseconds after which Spot has carried out, or will never carry out, a write that failed. */
  settle: number
  stamps: Stamps
  clock: Clock
}

/** What Spot said: an answer, or that there is no such resource. */
interface Reading {
  answer: Answer | SpotError
  askedAt: number
  size: number
  stamps: StampValues
}

/** A call under way that several callers may share. */
interface SharedCall {
  began: number
  stamps: StampValues | undefined
  reading: Promise<Reading>
  /**
   * The next call. It begins when this one ends, or after two seconds if this one hangs. For callers who need a call
   * that began after they came.
   */
  next?: Promise<Reading>
}

/**
 * Remembers for a moment what Spot said, so that callers who ask the same share one call. What is remembered may be
 * given while its stamps are the same as before Spot was asked; a write renews them.
 */
export class Memory {
  readonly #options: MemoryOptions
  readonly #readings = new LRUCache<string, Reading>({
    maxSize: MAX_CHARACTERS, sizeCalculation: ({ size }) => size + 1000
  })

  readonly #sharedCalls = new Map<string, SharedCall>()

  constructor (options: MemoryOptions) {
    this.#options = options
  }

  /**
   * @param identity what an account is to Spot: what is remembered is bound to it
   * @param within milliseconds for a call that several may share, whose time is not that of one of them
   */
  stage (identity: string, within: number): Stage {
    return (call, next) => isWrite(call)
      ? this.#write(writtenBy(identity, call.changes ?? call.path), call, next)
      : this.#read(identity, within, call, next)
  }

  /** Whether what Spot said then may be said once more. */
  isFresh ({ askedAt, proof }: Pick<Answer, 'askedAt' | 'proof'>): boolean | Promise<boolean> {
    const { clock, freshFor, stamps } = this.#options
    if (proof === undefined || clock.now() - askedAt >= freshFor) return false
    const current = stamps.read(proof.names)
    return current instanceof Promise
      ? current.then((current) => areUnchanged(proof.stamps, current))
      : areUnchanged(proof.stamps, current)
  }

  /** Forgets everything: an account may mean something else now. */
  clear (): void {
    this.#readings.clear()
    this.#sharedCalls.clear()
  }

  async #read (identity: string, within: number, call: Call, next: Next): Promise<Answer> {
    const { clock, freshFor, staleFor, stamps } = this.#options
    const key = `${identity} ${call.operation} ${call.path.join('/')} ${JSON.stringify(call.query ?? {})}`
    const names = readBy(identity, call.path)
    const reading = stamps.read(names)
    const current = reading instanceof Promise ? await reading : reading
    const known = this.#readings.get(key)
    const isYounger = (age: number) => known !== undefined && clock.now() - known.askedAt < age
    if (known && !call.fresh && areUnchanged(known.stamps, current) && isYounger(freshFor)) {
      return given(known, names, 'memory')
    }

    const ask = () => this.#startCall(key, current, next, { ...call, deadline: clock.now() + within })
    // Keep time to read the stamps once more, in case an older answer must do.
    const deadline = call.deadline - (known && !call.fresh && staleFor > 0 ? stamps.timeout : 0)
    for (;;) {
      const shared = this.#sharedCalls.get(key)
      const [asked, isJoined] = this.#join(shared, current, call.fresh, ask)
      const until = isJoined && shared && !call.fresh ? Math.min(deadline, shared.began + HANGING_AFTER) : deadline
      let isLate = false
      const late = () => {
        isLate = true
        return new SpotError({ call, outcome: 'timeout', calls: isJoined ? 0 : 1 })
      }
      try {
        return given(await withDeadline(clock, until, asked, late), names, isJoined ? 'shared' : 'spot')
      } catch (error) {
        // The shared call hangs, or failed for its own caller: a call of this caller may do better.
        if (isJoined && clock.now() < deadline && (isLate || isOfAnother(error))) continue
        if (call.fresh || !known || !mayStandIn(error) || !isYounger(staleFor)) throw error
        if (!areUnchanged(known.stamps, await stamps.read(names))) throw error
        return given(known, names, 'stale')
      }
    }
  }

  #startCall (key: string, stamps: StampValues | undefined, next: Next, call: Call): Promise<Reading> {
    const began = this.#options.clock.now()
    const remember = (answer: Answer | SpotError, askedAt: number, size: number): Reading => {
      const reading = { answer, askedAt, size, stamps: stamps ?? [] }
      if (areUsable(stamps)) this.#readings.set(key, reading)
      return reading
    }
    const reading = next(call).then((answer) => remember(answer, answer.askedAt, answer.size), (error) => {
      if (error instanceof SpotError && error.outcome === 'not-found') return remember(error, began, 0)
      throw error
    })
    const shared = { began, stamps, reading }
    this.#sharedCalls.set(key, shared)
    const forget = () => { if (this.#sharedCalls.get(key) === shared) this.#sharedCalls.delete(key) }
    reading.then(forget, forget)
    return reading
  }

  /**
   * The call that answers: one under way, where nothing was written since it began and it does not hang; for those who
   * need one that began after they came, the one after it; else a new one.
   *
   * @returns the reading, and whether somebody else asked for it
   */
  #join (
    shared: SharedCall | undefined, current: StampValues | undefined, fresh: boolean, ask: () => Promise<Reading>
  ): [Promise<Reading>, boolean] {
    const hangs = shared && this.#options.clock.now() - shared.began >= HANGING_AFTER
    if (!shared || (hangs && !fresh)) return [ask(), false]
    if (!fresh && areUsable(current)) {
      return areUnchanged(shared.stamps, current) ? [shared.reading, true] : [ask(), false]
    }
    if (shared.next) return [shared.next, true]
    const ended = shared.reading.then(() => {}, () => {})
    shared.next = Promise.race([ended, sleep(this.#options.clock, HANGING_AFTER)]).then(ask)
    return [shared.next, false]
  }

  /**
   * Two cases. With enough time: renew the stamps, send, renew them again; if Redis fails at the second, wait
   * `freshFor`, since other servers may use what they remember that long. With too little time for that: before
   * sending, exclude the resource from memory until the deadline plus `settle`; if Redis refuses, do not send.
   */
  async #write (names: string[], call: Call, next: Next): Promise<Answer> {
    const { clock, freshFor, settle, stamps } = this.#options
    const left = Math.max(0, call.deadline - clock.now())
    // Taken off the deadline, so that the answer is not late: time to renew the stamps again, as much for whoever
    // records the write, and time to wait.
    const timeToRecord = 2 * stamps.timeout
    const timeToAnnounce = stamps.timeout && timeToRecord + freshFor
    if (timeToAnnounce === 0 || left > timeToAnnounce + stamps.timeout) {
      await stamps.renew(names, 0)
      return await this.#sendAndRenew(names, call, next, timeToAnnounce, () => sleep(clock, freshFor))
    }
    const seenByAll = await stamps.renew(names, left + settle)
    if (!seenByAll) throw new SpotError({ call, outcome: 'unannounced' })
    return await this.#sendAndRenew(names, call, next, Math.min(timeToRecord, 0.9 * left), async () => {})
  }

  /** @param waitForOthers called where the other servers do not see the new stamps */
  async #sendAndRenew (
    names: string[], call: Call, next: Next, timeAfter: number, waitForOthers: () => Promise<void>
  ): Promise<Answer> {
    const { settle, stamps } = this.#options
    let excludeFor = settle
    try {
      const answer = await next({ ...call, deadline: call.deadline - timeAfter })
      excludeFor = 0
      return answer
    } catch (error) {
      if (error instanceof SpotError && error.changedNothing) excludeFor = 0
      throw error
    } finally {
      if (!await stamps.renew(names, excludeFor)) await waitForOthers()
    }
  }
}

/** A reading as an answer to one more caller. @throws {SpotError} not-found, where that is what Spot said */
function given ({ answer, askedAt, stamps }: Reading, names: readonly string[], source: Answer['source']): Answer {
  const calls = source === 'spot' ? answer.calls : 0
  if (answer instanceof SpotError) throw answer.with({ calls })
  return { ...answer, source, askedAt, calls, proof: { names, stamps } }
}

/** Whether a shared call failed only for its own caller: for want of a share of Spot's limit, or of time. */
const isOfAnother = (error: unknown) =>
  error instanceof SpotError && ['rate-limited', 'expired'].includes(error.outcome)

/** Whether an older answer may stand in: Spot fails, or must not be asked. */
const mayStandIn = (error: unknown) => error instanceof SpotError &&
  (outcomes[error.outcome].breaks || ['rate-limited', 'withheld', 'expired'].includes(error.outcome))
