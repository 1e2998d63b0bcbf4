import { byMarker, Idempotency, withMarker, type KeyEvent, type Reply } from '../../services/idempotency/index.js'
import type { Account } from '../../services/spot/account.js'
import { createAccounts, type Accounts } from '../../services/spot/accounts.js'
import type { Answer } from '../../services/spot/answer.js'
import type { Call } from '../../services/spot/call.js'
import { createLimit, type SharedWindow } from '../../services/spot/stages/limit/index.js'
import type { Counters } from '../../services/spot/stages/memory/counters.js'
import { Memory, type ReadSettings } from '../../services/spot/stages/memory/index.js'
import { sharedCounters, type SharedWords } from '../../services/spot/stages/memory/shared-counters.js'
import { countersOf } from './counters.js'
import type { Fault, Sent, SimulatedSpot } from './spot.js'
import type { SimulatedHandle } from './state.js'
import type { ServerClock, World } from './world.js'

export const ACCOUNT = 'demo'
const CREATE = 'createElastigroup'

/** What a caller asks for. */
export interface Asked {
  kind: 'create' | 'list' | 'get' | 'update' | 'delete'
  /** Word of the request: of its key and the day, where it has a key. */
  word: string
  key: string | undefined
  /** Whether a create copies a group. */
  copies: boolean
  /** Id of the group. */
  group: string
  fresh: boolean
  client: string
  /** Asked once all is well again. */
  settled?: boolean
  /** Asked of a key that made more than one. */
  doubled?: boolean
}

/** A request, and what became of it. Moments are by the world, but those named so. */
export interface Request {
  asked: Asked
  server: SimulatedServer
  at: number
  endedAt?: number
  /** By the server's clock: how long after its deadline it ended; negative before it. */
  lateness?: number
  reply?: object
  error?: unknown
  answers: { answer: Answer, age: number }[]
  /** Whether the other servers were told of the write before it was answered. */
  told?: boolean
}

export interface ServerOptions {
  name: string
  world: World
  clock: ServerClock
  spot: SimulatedSpot
  /** The link to all that is shared, and that; undefined where the server is alone. */
  state: SimulatedHandle
  shared: { words: SharedWords, window: SharedWindow } | undefined
  within: { read: number, write: number }
  reads: ReadSettings
  settle: number
  faultOf: (call: Call) => Fault
}

/** One gateway: the real stages and the real idempotency, on a simulated wire, clock and state. */
export class SimulatedServer {
  readonly name: string
  readonly clock: ServerClock
  readonly sent: Sent[] = []
  readonly events: { event: KeyEvent, paths: string[] | undefined }[] = []
  readonly state: SimulatedHandle
  readonly #world: World
  readonly #accounts: Accounts
  readonly #idempotency: Idempotency
  readonly #within: ServerOptions['within']
  readonly #spot: SimulatedSpot
  #told = new Map<string, boolean>()

  constructor ({ name, world, clock, spot, state, shared, within, reads, settle, faultOf }: ServerOptions) {
    this.name = name
    this.clock = clock
    this.state = state
    this.#world = world
    this.#within = within
    this.#spot = spot
    const counters = this.#watched(shared
      ? sharedCounters({ words: shared.words, clock, onChange () {} })
      : countersOf(clock))
    const memory = new Memory({ ...reads, settle, counters, clock })
    const limit = createLimit({
      clock, redis: shared?.window, shareOf: (client) => client === '' ? 1 : 0.5, onBlock () {}, onShared () {}
    })
    this.#accounts = createAccounts({ [ACCOUNT]: { id: 'act-1', token: 'token' } }, {
      version: 'simulated',
      within,
      memory,
      limit,
      clock,
      observe () {},
      random: () => world.random(),
      wire: () => spot.wire(clock, faultOf, (sent) => this.sent.push(sent))
    })
    this.#idempotency = new Idempotency({
      records: state,
      clock,
      settle,
      finderOf: (_, operation) => operation === CREATE ? () => this.#marked() : undefined,
      onEvent: (event, { paths }) => this.events.push({ event, paths }),
      random: () => `word-${Math.floor(world.random() * 2 ** 40).toString(36)}`
    })
    this.#sweep(settle)
  }

  /** Ends it in the middle of whatever it does. */
  kill (): void {
    this.clock.dead = true
    this.state.close()
  }

  async handle (asked: Asked): Promise<Request> {
    const { fresh, client, kind } = asked
    const isRead = kind === 'list' || kind === 'get'
    const account = this.#accounts.account(ACCOUNT, { kind: isRead ? 'read' : 'write', fresh, client })
    const request: Request = { asked, server: this, at: this.#world.now, answers: [] }
    const names = account.answers.length
    try {
      request.reply = await this.#carryOut(account, asked)
    } catch (error) {
      request.error = error
    }
    request.answers = account.answers.slice(names).map((answer) => ({ answer, age: this.clock.now() - answer.askedAt }))
    request.endedAt = this.#world.now
    request.lateness = this.clock.now() - account.deadline
    request.told = this.#told.get(asked.group) ?? true
    return request
  }

  async #carryOut (account: Account, { kind, word, key, copies, group }: Asked): Promise<object> {
    const { elastigroups } = account
    const body: { request: string, value: number, compute?: null } = { request: word, value: 1 }
    switch (kind) {
      case 'list': return { groups: await elastigroups.list() }
      case 'get': return await elastigroups.get(group)
      case 'update': return await elastigroups.update(group, { ...body, value: Number(word.replace(/\D/g, '')) }, {})
      case 'delete': {
        const nothing = {
          shouldDeleteImages: true,
          shouldDeleteVolumes: true,
          shouldDeleteSnapshots: true,
          shouldDeleteNetworkInterfaces: true
        }
        await elastigroups.delete(group, nothing, undefined)
        return {}
      }
    }
    // Some groups are copies of one that was made with a key, whose marker they bring along.
    const copied = copies && this.#spot.resources.find(({ compute }) => compute)
    const wanted = copied ? { ...body, compute: copied.compute as null } : body
    const send = async (marker: string | undefined) => replyTo(await elastigroups.create(withMarker(wanted, marker)))
    if (key === undefined) return await send(undefined)
    const create = {
      storageKey: key, fingerprint: word, account: ACCOUNT, operation: CREATE, deadline: account.deadline
    }
    // As the gateway does it: a stored reply leaves before anything else is judged.
    return await this.#idempotency.replay(create) ?? (await this.#idempotency.once(create, send)).reply
  }

  async #marked () {
    const account = this.#accounts.account(ACCOUNT, { kind: 'read', fresh: true, reserved: true })
    return byMarker(await account.elastigroups.list(), replyTo)
  }

  /** Over and over, as the gateway does. */
  async #sweep (every: number): Promise<void> {
    for (let round = 0; ; round++) {
      if (round % 20 === 0) await this.#idempotency.recall().catch(() => {})
      await this.#idempotency.sweep()
      await new Promise<void>((resolve) => { this.clock.after(every, resolve) })
    }
  }

  /** Notes of each group whether its last change was seen by all. */
  #watched (counters: Counters): Counters {
    return {
      patience: counters.patience,
      read: (names) => counters.read(names),
      change: (names, holdFor) => {
        const note = (seen: boolean) => {
          for (const name of names) this.#told.set(name.split(' ').at(-1) as string, seen)
          return seen
        }
        const changed = counters.change(names, holdFor)
        return changed instanceof Promise ? changed.then(note) : note(changed)
      }
    }
  }

  get within () { return this.#within }
}

const replyTo = (group: object): Reply => ({
  status: 201, headers: { Location: String((group as { id: string }).id) }, body: group
})
