import { Idempotency, type KeyEvent, type Marked, type Records, type Reply } from '../services/idempotency/index.js'
import { Problem } from '../services/problems/index.js'
import type { Clock } from '../services/spot/clock.js'
import { VirtualClock } from './virtual-clock.js'

/** Milliseconds. */
export const SETTLE = 30_000
export const DEADLINE = 60_000
export const STATE_TIMEOUT = 2500

/** What becomes of a call to the state: not done, done but the answer is lost, or the same after the caller gave up. */
export type StateFault = 'failed' | 'lost' | 'late' | undefined

type Stored = { value: string, version: number, writtenAt: number, expiresAt: number }

/** Records in memory, by a clock of their own. */
export class MemoryRecords implements Records {
  /** Asked before each call what becomes of it. */
  fault: (call: 'get' | 'swap' | 'remove') => StateFault = () => undefined
  readonly #records = new Map<string, Stored>()
  readonly #clock: Clock
  #version = 0

  constructor (clock: Clock) {
    this.#clock = clock
  }

  get = (key: string) => this.#carryOut('get', () => this.#read(key))

  swap = (key: string, expected: number | undefined, value: string, ttl: number) => this.#carryOut('swap', () => {
    if (!(Number.isInteger(ttl) && ttl > 0)) throw new Error(`no ttl: ${ttl}`)
    if (this.#read(key)?.version !== expected) return undefined
    const now = this.#clock.now()
    this.#records.set(key, { value, version: ++this.#version, writtenAt: now, expiresAt: now + ttl })
    return this.#version
  })

  remove = (key: string, expected: number) => this.#carryOut('remove', () =>
    this.#read(key)?.version === expected && this.#records.delete(key))

  async * all () {
    for (const key of this.#records.keys()) {
      const record = await this.get(key)
      if (record) yield [key, record] as [string, typeof record]
    }
  }

  /** The record as it is stored, with the milliseconds that it has to live. */
  peek (key: string) {
    const record = this.#records.get(key)
    return record && { ...JSON.parse(record.value), ttl: record.expiresAt - record.writtenAt }
  }

  #read (key: string) {
    const record = this.#records.get(key)
    if (record && record.expiresAt <= this.#clock.now()) this.#records.delete(key)
    else if (record) return { value: record.value, version: record.version, age: this.#clock.now() - record.writtenAt }
  }

  async #carryOut<T> (call: 'get' | 'swap' | 'remove', work: () => T): Promise<T> {
    const fault = this.fault(call)
    if (fault === 'failed') throw new Error('the state failed')
    if (fault === 'late') {
      this.#clock.after(STATE_TIMEOUT + 500, work)
      await new Promise<void>((resolve) => { this.#clock.after(STATE_TIMEOUT, resolve) })
      throw new Error('the state did not answer')
    }
    const result = work()
    if (fault === 'lost') throw new Error("the state's answer was lost")
    return result
  }
}

/** What becomes of an attempt: how it ends for the caller, after how long, and when Spot makes it, if ever. */
export interface Plan {
  ends?: 'created' | 'refused' | 'lost'
  /** Milliseconds until it ends. */
  takes?: number
  /** Milliseconds after its end until Spot makes it, though its answer was lost. */
  madeAfter?: number
}

export interface Made { marker: string | undefined, path: string, at: number }

/** Spot, the state, and servers, in virtual time. */
export class World {
  readonly clock = new VirtualClock()
  readonly records = new MemoryRecords(this.clock)
  /** What Spot made. */
  readonly made: Made[] = []
  /** What the servers reported. */
  readonly events: [KeyEvent, paths?: string[]][] = []
  /** Markers of all attempts. */
  readonly sent: (string | undefined)[] = []
  lists = 0
  /** Whether Spot cannot be asked. */
  isDown = false

  readonly #words = (function * () { for (let n = 1; ; n++) yield `word-${n}` })()

  /** @param clock of this server: its own may be off */
  server (clock: Clock = this.clock, records: Records = this.records): Server {
    return new Server(this, clock, records, () => this.#words.next().value as string)
  }

  make (marker: string | undefined): Reply {
    const path = `/groups/${this.made.length + 1}`
    this.made.push({ marker, path, at: this.clock.now() })
    return replyFor(path)
  }

  /** @throws as the handler of a create would */
  async attempt (marker: string | undefined, { ends = 'created', takes = 100, madeAfter }: Plan): Promise<Reply> {
    this.sent.push(marker)
    await this.pass(takes)
    if (ends === 'created') return this.make(marker)
    if (ends === 'refused') throw new Problem('spot-rejected', { detail: 'no' })
    if (madeAfter === 0) this.make(marker)
    else if (madeAfter !== undefined) this.clock.after(madeAfter, () => this.make(marker))
    throw new Problem('outcome-unknown', { detail: 'lost' })
  }

  /** @throws while Spot is down */
  async list (prefix = ''): Promise<Marked> {
    this.lists++
    await this.pass(50)
    if (this.isDown) throw new Error('Spot is down')
    const marked: Marked = new Map()
    for (const { marker, path } of this.made) {
      if (marker !== undefined) marked.set(marker, [...marked.get(marker) ?? [], replyFor(prefix + path)])
    }
    return marked
  }

  pass (milliseconds: number) {
    return new Promise<void>((resolve) => { this.clock.after(milliseconds, resolve) })
  }

  /** What comes of something that takes time: at most ten minutes pass. */
  async outcome<T> (work: Promise<T>): Promise<T> {
    const progress = { over: false }
    const end = () => { progress.over = true }
    work.then(end, end)
    for (let step = 0; step < 6000 && !progress.over; step++) await this.clock.advance(100)
    if (!progress.over) throw new Error('it does not end')
    return await work
  }
}

export const replyFor = (path: string): Reply => ({ status: 201, headers: { Location: path }, body: { path } })

/** One process of this product. */
export class Server {
  readonly idempotency: Idempotency
  /** Whether what is made has tags. */
  marked = true
  /** What stands before the paths of its account. */
  prefix = ''
  readonly #world: World
  readonly #clock: Clock

  constructor (world: World, clock: Clock, records: Records, random: () => string) {
    this.#world = world
    this.#clock = clock
    this.idempotency = new Idempotency({
      records,
      clock,
      settle: SETTLE,
      random,
      finderOf: () => this.marked ? () => world.list(this.prefix) : undefined,
      onEvent: (event, { paths }) => { world.events.push([event, ...paths ? [paths] : []] as [KeyEvent, string[]?]) }
    })
  }

  create (storageKey = 'k', fingerprint = 'body', deadline = DEADLINE) {
    const what = { account: 'identity', operation: 'createElastigroup' }
    return { storageKey, fingerprint, ...what, deadline: this.#clock.now() + deadline }
  }

  once (plan: Plan = {}, create = this.create()) {
    return this.idempotency.once(create, (marker) => this.#world.attempt(marker, plan))
  }
}

/** The name of the problem that it ends with, or the path of its reply. */
export const endOf = (world: World, work: Promise<{ reply: { headers: { Location: string } } }>): Promise<string> =>
  world.outcome(work.then(({ reply }) => reply.headers.Location, (error) => error.problem ?? error.message))

/** What the servers of a world reported, in its order. */
export const reported = (world: World) => world.events.map(([event]) => event)
