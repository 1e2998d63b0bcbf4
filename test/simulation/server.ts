import { byMarker, Idempotency, withMarker, type KeyEvent, type Reply } from '../../services/idempotency/index.js'
import type { Account } from '../../services/spot/account.js'
import { createAccounts, type Accounts } from '../../services/spot/accounts.js'
import type { Answer } from '../../services/spot/answer.js'
import type { Call } from '../../services/spot/call.js'
import { createLimit, type SharedWindow } from '../../services/spot/stages/limit/index.js'
import { Memory, type ReadSettings } from '../../services/spot/stages/memory/index.js'
import { sharedStamps, type StampStore } from '../../services/spot/stages/memory/shared-stamps.js'
import type { Stamps } from '../../services/spot/stages/memory/stamps.js'
import { stampsOf } from './local-stamps.js'
import type { Fault, Sent, SimulatedSpot } from './spot.js'
import type { SimulatedHandle } from './state.js'
import type { ServerClock, World } from './world.js'

export const ACCOUNT = 'demo'
const CREATE = 'createElastigroup'

/** Part of the limit that one client may hold. */
export const SHARE = 0.5

/** What a caller asks for. */
export interface Asked {
  kind: 'create' | 'list' | 'get' | 'update' | 'delete'
  /** Identifies what is asked for: the key and the day, where there is a key. */
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
  /** The last read, once all is well again: it must be admitted. */
  isLast?: boolean
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
  /** Whether every server saw the new stamps of the write before it was answered. */
  visibleToAll?: boolean
}

export interface ServerOptions {
  name: string
  world: World
  clock: ServerClock
  spot: SimulatedSpot
  /** The link to all that is shared, and that; undefined where the server is alone. */
  state: SimulatedHandle
  shared: { stamps: StampStore, window: SharedWindow } | undefined
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
  readonly #visibleToAll = new Map<string, boolean>()

  constructor ({ name, world, clock, spot, state, shared, within, reads, settle, faultOf }: ServerOptions) {
    this.name = name
    this.clock = clock
    this.state = state
    this.#world = world
    this.#within = within
    this.#spot = spot
    const stamps = this.#watched(shared
      ? sharedStamps({ store: shared.stamps, clock, onChange () {} })
      : stampsOf(clock))
    const memory = new Memory({ ...reads, settle, stamps, clock })
    const limit = createLimit({
      clock, redis: shared?.window, shareOf: (client) => client === '' ? 1 : SHARE, onBlock () {}, onShared () {}
    })
    this.#accounts = createAccounts({ [ACCOUNT]: { id: 'act-1', token: 'token' } }, {
      version: 'simulated',
      timeLimits: within,
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
    request.visibleToAll = this.#visibleToAll.get(asked.group) ?? true
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

  /** Notes of each group whether every server saw its last stamp. */
  #watched (stamps: Stamps): Stamps {
    return {
      timeout: stamps.timeout,
      read: (names) => stamps.read(names),
      renew: (names, excludeFor) => {
        const note = (seenByAll: boolean) => {
          for (const name of names) this.#visibleToAll.set(name.split(' ').at(-1) as string, seenByAll)
          return seenByAll
        }
        const renewed = stamps.renew(names, excludeFor)
        return renewed instanceof Promise ? renewed.then(note) : note(renewed)
      }
    }
  }

  get within () { return this.#within }
}

const replyTo = (group: object): Reply => ({
  status: 201, headers: { Location: String((group as { id: string }).id) }, body: group
})
