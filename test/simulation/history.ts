import type { Scenario, Trouble } from './scenario.js'
import { COPIED } from './scenario.js'
import { SimulatedServer, type Asked, type Request } from './server.js'
import { SimulatedSpot, type Fault } from './spot.js'
import { simulatedStamps } from './stamps.js'
import { simulatedState } from './state.js'
import { simulatedWindow } from './window.js'
import { ServerClock, World } from './world.js'

/** Milliseconds after which Spot has carried out a write, unless the scenario says `later`. */
export const SETTLE = 15_000
/** Milliseconds that a request may take. */
const WITHIN = { read: 10_000, write: 60_000 }

// Moments, in milliseconds since the world began.
/** No call to Spot fails after this, except in the first 30 s of the next day. */
const SPOT_WORKS = 5.5 * 60_000
/** The links to the state work from here on. */
const LINKS_WORK = 6.5 * 60_000
const END = 8 * 60_000
/** When every search of 5 minutes after an attempt is over. */
const SEARCHED = 15 * 60_000
/** When every key of the first day is forgotten. */
export const TOMORROW = 25 * 3600_000

/** All that happened. */
export interface History {
  requests: Request[]
  servers: SimulatedServer[]
  spot: SimulatedSpot
  /** Requests that never ended, though their server lived. */
  hanging: Asked[]
}

/** Plays a scenario to its end. The same scenario always gives the same history. */
export const play = (scenario: Scenario): Promise<History> => new Play(scenario).run()

/** A scenario while it is played. */
class Play {
  readonly #scenario: Scenario
  readonly #world: World
  readonly #spot: SimulatedSpot
  readonly #state: ReturnType<typeof simulatedState>
  readonly #stamps: ReturnType<typeof simulatedStamps>
  readonly #window: ReturnType<typeof simulatedWindow>
  readonly #servers: SimulatedServer[] = []
  /** Those that live. */
  readonly #running: SimulatedServer[]
  /** Groups that are there from the start. */
  readonly #groups: string[]
  readonly #requests: Request[] = []
  readonly #open = new Set<Asked & { server: SimulatedServer }>()
  readonly #keys = new Set<string>()
  #outageUntil = 0

  constructor (scenario: Scenario) {
    const world = new World(scenario.seed)
    this.#scenario = scenario
    this.#world = world
    this.#spot = new SimulatedSpot(world, { ...scenario, settle: SETTLE })
    this.#state = simulatedState({
      clock: { now: () => world.now, sleep: world.sleep }, random: () => world.random()
    })
    this.#stamps = simulatedStamps(world)
    this.#window = simulatedWindow(world)
    this.#running = Array.from({ length: scenario.servers }, (_, index) => this.#start(index))
    this.#groups = ['first', 'second'].map((word) => this.#spot.make(word))
  }

  async run (): Promise<History> {
    for (const trouble of this.#scenario.troubles) this.#world.at(trouble.at, () => this.#bring(trouble))
    this.#planRequests()
    this.#planEnd()
    await this.#world.run(END)
    await this.#askForDuplicates()
    if (this.#scenario.nextDay && this.#keys.size > 0) await this.#playNextDay()
    const hanging = [...this.#open].filter(({ server }) => !server.clock.dead)
    return { requests: this.#requests, servers: this.#servers, spot: this.#spot, hanging }
  }

  #start (index: number): SimulatedServer {
    const { lost, delay, drift, clockOffset, servers } = this.#scenario
    const world = this.#world
    const link = this.#state.handle()
    Object.assign(link.faults, { dropped: lost / 2, lost: lost / 2, delay })
    const rate = 1 + drift * (2 * world.random() - 1)
    const server = new SimulatedServer({
      name: `server ${index}`,
      world,
      clock: new ServerClock(world, 1_000_000 + clockOffset * index, rate),
      spot: this.#spot,
      state: link,
      shared: servers === 1
        ? undefined
        : { stamps: this.#stamps.linkedBy(link.faults), window: this.#window.linkedBy(link.faults) },
      within: WITHIN,
      reads: this.#scenario,
      settle: SETTLE,
      faultOf: () => this.#nextFault()
    })
    this.#servers.push(server)
    return server
  }

  #at = (index: number) => this.#running[index % this.#running.length] as SimulatedServer

  #nextFault (): Fault {
    const { faultRate, faults } = this.#scenario
    const { now } = this.#world
    if (now < this.#outageUntil) return this.#world.chance(0.5) ? 'failed-undone' : 'hang-undone'
    const works = now > SPOT_WORKS && !(now > TOMORROW && now < TOMORROW + 30_000)
    if (works || !this.#world.chance(faultRate)) return 'none'
    return faults[this.#world.between(0, faults.length - 1)] as Fault
  }

  #bring ({ server, kind, lasts }: Trouble): void {
    const until = this.#world.now + lasts
    const target = this.#at(server)
    if (kind === 'outage') this.#outageUntil = Math.max(this.#outageUntil, until)
    if (kind === 'partition') {
      target.state.faults.partitioned = true
      this.#world.at(until, () => { target.state.faults.partitioned = false })
    }
    if (kind === 'kill') {
      target.kill()
      const index = this.#running.indexOf(target)
      this.#running[index] = this.#start(index)
    }
  }

  /** Plans a request. @param at when; @param index of the server that gets it */
  #ask (at: number, index: number, asked: Asked): void {
    this.#world.at(at, () => {
      const server = this.#at(index)
      const pending = { ...asked, server }
      this.#open.add(pending)
      server.handle(asked).then((request) => {
        this.#open.delete(pending)
        if (!server.clock.dead) this.#requests.push(request) // else nobody has the answer
      })
    })
  }

  #planRequests (): void {
    for (const [number, { at, server, kind, key: id, group, fresh, client }] of this.#scenario.asks.entries()) {
      const key = kind === 'create' && id !== undefined ? `key${id}` : undefined
      if (key) this.#keys.add(key)
      this.#ask(at, server, {
        kind,
        key,
        word: key ?? `request${number}`,
        copies: group === COPIED,
        group: this.#groups[group] as string,
        fresh,
        client: `client ${client}`
      })
    }
  }

  /** When all is well again, keys must be settled, and calls be admitted. */
  #planEnd (): void {
    this.#world.at(LINKS_WORK, () => {
      for (const { state } of this.#servers) {
        Object.assign(state.faults, { dropped: 0, lost: 0, delay: 0, partitioned: false })
      }
    })
    for (const key of this.#keys) this.#ask(LINKS_WORK + 10_000, 0, { ...createOf(key), settled: true })
    this.#ask(END - 10_001, 0, { ...createOf(undefined, 'last'), kind: 'list', isLast: true })
  }

  /** Sends the creates again whose keys made more than one. */
  async #askForDuplicates (): Promise<void> {
    const madeBy = (key: string) => this.#spot.resources.filter(({ request }) => request === key)
    const doubled = [...this.#keys].filter((key) => madeBy(key).length > 1)
    if (doubled.length === 0) return
    for (const key of doubled) this.#ask(SEARCHED, 0, { ...createOf(key), doubled: true })
    await this.#world.run(SEARCHED + 60_000)
  }

  /** Restarts all servers, and sends other creates with the same keys. */
  async #playNextDay (): Promise<void> {
    for (const server of this.#running) server.kill()
    await this.#world.run(TOMORROW)
    this.#running.push(...this.#running.splice(0).map((_, index) => this.#start(index)))
    for (const key of this.#keys) {
      for (const [index, wait] of [0, 45_000].entries()) {
        this.#ask(TOMORROW + wait, index, createOf(key, `${key} tomorrow`))
      }
    }
    await this.#world.run(TOMORROW + 2 * 60_000)
  }
}

const createOf = (key: string | undefined, word = key as string): Asked =>
  ({ kind: 'create', key, word, copies: false, group: '', fresh: true, client: '' })
