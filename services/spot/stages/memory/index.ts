import { LRUCache } from 'lru-cache'
import type { Answer } from '../../answer.js'
import { isWrite, type Call } from '../../call.js'
import { before, sleep, type Clock } from '../../clock.js'
import { SpotError } from '../../error.js'
import type { Next, Stage } from '../../stage.js'
import { outcomes } from '../../wire/outcomes.js'
import { same, usable, type Counters, type Words } from './counters.js'
import { readBy, writtenBy } from './names.js'

/** Characters of Spot's answers that are remembered, about. */
const MOST_CHARACTERS = 128 * 1024 * 1024

/** Milliseconds after which a call that has not ended holds nobody up any more. */
const HANGS = 2000

/** Milliseconds that what Spot said counts as fresh, and that it may stand in when Spot cannot be asked. */
export interface ReadSettings { freshFor: number, staleFor: number }

export interface MemoryOptions extends ReadSettings {
  /** Milliseconds after which Spot has carried out, or will never carry out, a write that failed. */
  settle: number
  counters: Counters
  clock: Clock
}

/** What Spot said: an answer, or that there is no such resource. */
interface Reading {
  answer: Answer | SpotError
  askedAt: number
  size: number
  words: Words
}

interface Flight {
  began: number
  words: Words | undefined
  reading: Promise<Reading>
  /**
   * The next call. It begins when this one ends, or after two seconds if this one hangs. For callers who need an answer
   * that was asked for after they came.
   */
  next?: Promise<Reading>
}

/**
 * Remembers for a moment what Spot said, so that callers who ask the same share one call. What is remembered may be
 * given while the counters of what it is about are as they were before Spot was asked; a write changes them.
 */
export class Memory {
  readonly #options: MemoryOptions
  readonly #readings = new LRUCache<string, Reading>({
    maxSize: MOST_CHARACTERS, sizeCalculation: ({ size }) => size + 1000
  })

  readonly #flights = new Map<string, Flight>()

  constructor (options: MemoryOptions) {
    this.#options = options
  }

  /**
   * @param identity what an account is to Spot: what is remembered is bound to it
   * @param within milliseconds for a call that several may share, whose time is not that of one of them
   */
  stage (identity: string, within: number): Stage {
    return (call, next) => isWrite(call)
      ? this.#write(writtenBy(identity, call.path), call, next)
      : this.#read(identity, within, call, next)
  }

  /** Whether all of these answers may be given once more. */
  isFresh (answers: readonly Answer[]): boolean | Promise<boolean> {
    const { clock, freshFor, counters } = this.#options
    const names: string[] = []
    const then: string[] = []
    for (const { askedAt, proof } of answers) {
      if (proof === undefined || clock.now() - askedAt >= freshFor) return false
      names.push(...proof.names)
      then.push(...proof.words)
    }
    const now = counters.read(names)
    return now instanceof Promise ? now.then((words) => isSame(then, words)) : isSame(then, now)
  }

  /** Forgets everything: an account may mean something else now. */
  clear (): void {
    this.#readings.clear()
    this.#flights.clear()
  }

  async #read (identity: string, within: number, call: Call, next: Next): Promise<Answer> {
    const { clock, freshFor, staleFor, counters } = this.#options
    const key = `${identity} ${call.operation} ${call.path.join('/')} ${JSON.stringify(call.query ?? {})}`
    const names = readBy(identity, call.path)
    const reading = counters.read(names)
    const words = reading instanceof Promise ? await reading : reading
    const known = this.#readings.get(key)
    const isYounger = (age: number) => known !== undefined && clock.now() - known.askedAt < age
    if (known && !call.fresh && isSame(known.words, words) && isYounger(freshFor)) return given(known, names, 'memory')

    const ask = () => this.#fly(key, words, next, { ...call, deadline: clock.now() + within })
    // Keep time for one more look at the counters, in case an older answer must do.
    const deadline = call.deadline - (known && !call.fresh && staleFor > 0 ? counters.patience : 0)
    for (;;) {
      const flight = this.#flights.get(key)
      const [asked, isShared] = this.#join(flight, words, call.fresh, ask)
      const until = isShared && flight && !call.fresh ? Math.min(deadline, flight.began + HANGS) : deadline
      const late = () => new SpotError({ call, outcome: 'timeout', calls: isShared ? 0 : 1 })
      try {
        return given(await before(clock, until, asked, late), names, isShared ? 'shared' : 'spot')
      } catch (error) {
        if (isShared && clock.now() < deadline && isOfAnother(error)) continue
        if (call.fresh || !known || !mayStandIn(error) || !isYounger(staleFor)) throw error
        if (!isSame(known.words, await counters.read(names))) throw error
        return given(known, names, 'stale')
      }
    }
  }

  #fly (key: string, words: Words | undefined, next: Next, call: Call): Promise<Reading> {
    const began = this.#options.clock.now()
    const ended = (answer: Answer | SpotError, askedAt: number, size: number): Reading => {
      const reading = { answer, askedAt, size, words: words ?? [] }
      if (usable(words)) this.#readings.set(key, reading)
      return reading
    }
    const reading = next(call).then((answer) => ended(answer, answer.askedAt, answer.size), (error) => {
      if (error instanceof SpotError && error.outcome === 'not-found') return ended(error, began, 0)
      throw error
    })
    const flight = { began, words, reading }
    this.#flights.set(key, flight)
    const landed = () => { if (this.#flights.get(key) === flight) this.#flights.delete(key) }
    reading.then(landed, landed)
    return reading
  }

  /**
   * The call that answers: one under way, where nothing was written since it began and it does not hang; for those who
   * need one that began after they came, the one after it; else a new one.
   *
   * @returns the reading, and whether somebody else asked for it
   */
  #join (
    flight: Flight | undefined, words: Words | undefined, fresh: boolean, ask: () => Promise<Reading>
  ): [Promise<Reading>, boolean] {
    const hangs = flight && this.#options.clock.now() - flight.began >= HANGS
    if (!flight || (hangs && !fresh)) return [ask(), false]
    if (!fresh && usable(words)) {
      return isSame(flight.words ?? [], words) ? [flight.reading, true] : [ask(), false]
    }
    if (flight.next) return [flight.next, true]
    const ended = flight.reading.then(() => {}, () => {})
    flight.next = Promise.race([ended, sleep(this.#options.clock, HANGS)]).then(ask)
    return [flight.next, false]
  }

  /**
   * Changes the counters before a write is sent, and again before it is answered. If the others cannot see that, they
   * may still use what is fresh: then the answer waits until it no longer is. Where the deadline is sooner than that,
   * nobody may use memory for what is written, from before it is sent until it has settled.
   */
  async #write (names: string[], call: Call, next: Next): Promise<Answer> {
    const { clock, freshFor, settle, counters } = this.#options
    const left = Math.max(0, call.deadline - clock.now())
    // Time to change the counters again is taken off before, so the answer is not late; as much again for whoever
    // records it; and time to wait.
    const toRecord = 2 * counters.patience
    const reserve = counters.patience && toRecord + freshFor
    const isShort = reserve > 0 && left <= reserve + counters.patience
    const shared = await counters.change(names, isShort ? left + settle : 0)
    if (!shared && isShort) throw new SpotError({ call, outcome: 'unannounced' })
    const deadline = call.deadline - (isShort ? Math.min(toRecord, 0.9 * left) : reserve)
    let holdFor = settle
    try {
      const answer = await next({ ...call, deadline })
      holdFor = 0
      return answer
    } catch (error) {
      if (error instanceof SpotError && error.changedNothing) holdFor = 0
      throw error
    } finally {
      if (!await counters.change(names, holdFor) && !isShort) await sleep(clock, freshFor)
    }
  }
}

const isSame = (then: Words, now: Words | undefined) => usable(now) && same(then, now)

/** A reading as an answer to one more caller. @throws {SpotError} not-found, where that is what Spot said */
function given ({ answer, askedAt, words }: Reading, names: readonly string[], source: Answer['source']): Answer {
  const calls = source === 'spot' ? answer.calls : 0
  if (answer instanceof SpotError) throw answer.with({ calls })
  return { ...answer, source, askedAt, calls, proof: { names, words } }
}

/**
 * Whether a shared call failed for what is another's: its share of Spot's limit, its place in the queue, or a call that
 * hangs. Who shared it may do better.
 */
const isOfAnother = (error: unknown) => error instanceof SpotError &&
  (['rate-limited', 'expired'].includes(error.outcome) || (error.outcome === 'timeout' && error.calls === 0))

/** Whether something Spot said before may be taken for its answer: it is out of order, or must not be asked. */
const mayStandIn = (error: unknown) => error instanceof SpotError &&
  (outcomes[error.outcome].breaks || ['rate-limited', 'withheld', 'expired'].includes(error.outcome))
