import { isWrite, type Call } from '../../services/spot/call.js'
import type { Clock } from '../../services/spot/clock.js'
import type { Answer } from '../../services/spot/answer.js'
import { SpotError } from '../../services/spot/error.js'
import type { Next } from '../../services/spot/stage.js'
import { outcomeOfStatus } from '../../services/spot/wire/outcomes.js'
import { quotaOf, secondsOf, type Quota } from '../../services/spot/wire/quota.js'
import type { World } from './world.js'

/** What can happen to a call on its way, to Spot while it carries it out, and to the answer. */
export type Fault =
  | 'none' | 'slow' | 'slow-answer' | 'unsent' | 'lost-request' | 'lost-answer'
  | 'failed-undone' | 'failed-done' | 'failed-later'
  | 'hang-undone' | 'hang-done' | 'hang-later' | 'refused' | 'html-408-later'

export interface SpotSettings {
  /** Calls of a route in a sliding minute; Infinity: no limit is reported. */
  limit: number
  /** How the reset is rounded to whole seconds. */
  rounding: 'up' | 'down'
  /** Milliseconds after which what was done shows in lists, and an accepted write is carried out, at the latest. */
  settle: number
  /** Whether an accepted create may be carried out later than `settle`. */
  later: boolean
}

/** A group: `request` is the word of the request that made it. */
export interface Resource { id: string, value: number, request: string, compute?: unknown }

/** A write as Spot carried it out. */
export interface Commit {
  at: number
  request: string
  id: string
  /** Undefined: it was deleted. */
  value: number | undefined
  /** The attempt that it was asked for with. */
  sent: Sent
}

/** An answer to a read, whose items carry its id. */
export interface ReadAnswer { id: number, arrivedAt: number, resource: string | undefined }

/** A Spot that keeps groups with a value and a marker, counts calls, and fails as each fault says. */
export class SimulatedSpot {
  readonly commits: Commit[] = []
  readonly answers = new Map<number, ReadAnswer>()
  /** Calls that arrived, by route. */
  readonly arrivals = new Map<string, number[]>()
  readonly #world: World
  readonly #settings: SpotSettings
  readonly #resources = new Map<string, Resource & { shownAt: number, goneAt?: number }>()
  #made = 0
  #answerCount = 0

  constructor (world: World, settings: SpotSettings) {
    this.#world = world
    this.#settings = settings
  }

  /** All resources, also those that lists do not show yet. */
  get resources (): Resource[] {
    return [...this.#resources.values()].filter(({ goneAt }) => goneAt === undefined)
  }

  /** A group that is there from the start. @returns its id */
  make (request: string): string {
    const id = `sig-${++this.#made}`
    this.#resources.set(id, { id, value: 0, request, shownAt: 0 })
    return id
  }

  /**
   * The way of one server to this Spot.
   *
   * @param faultOf what happens to a call
   * @param onSend called with each call that leaves
   */
  wire (clock: Clock, faultOf: (call: Call) => Fault, onSend: (sent: Sent) => void): Next {
    return (call) => new Promise<Answer>((resolve, reject) => {
      const world = this.#world
      const askedAt = clock.now()
      const fault = faultOf(call)
      const fail = (outcome: ConstructorParameters<typeof SpotError>[0]['outcome'], calls: number) =>
        reject(new SpotError({ call, outcome, calls }))
      const left = call.deadline - askedAt
      const sent: Sent = { call, at: world.now, askedAt, endsBy: world.now + left, reportedQuota: undefined }
      const ended = () => { sent.endsBy = Math.min(sent.endsBy, world.now) }
      if (fault === 'unsent') {
        clock.after(Math.min(left, 20), () => fail('unsent', 0))
        return
      }
      onSend(sent)
      let isOver = false
      const cancel = clock.after(left, () => {
        isOver = true
        fail('timeout', 1)
      })
      const answer = (made: HttpLike) => {
        clock.after(fault === 'slow-answer' ? world.between(500, 8000) : world.between(1, 30), () => {
          if (isOver) return
          cancel()
          ended()
          try {
            resolve(this.#read(clock, call, made, askedAt, sent))
          } catch (error) {
            reject(error)
          }
        })
      }
      if (fault === 'lost-request') return // the caller waits until its deadline
      const way = fault === 'slow' ? world.between(500, 20_000) : world.between(1, 30)
      world.at(world.now + way, () => this.#arrive(sent, fault, answer, () => {
        clock.after(1, () => {
          cancel()
          ended()
          fail('interrupted', 1)
        })
      }))
    })
  }

  #arrive (sent: Sent, fault: Fault, answer: (made: HttpLike) => void, cut: () => void): void {
    const world = this.#world
    const { call } = sent
    sent.arrivedAt = world.now
    const quota = this.#count(call.operation)
    if (quota.status === 429) {
      const oldest = this.arrivals.get(call.operation)?.find((at) => at > world.now - 60_000) ?? world.now
      sent.roomAt = oldest + 60_000
      return answer(quota)
    }
    const done = (later = 0) => this.#carryOut(sent, later)
    const late = () => this.#settings.later && world.chance(0.3)
      ? this.#settings.settle + world.between(100, 20_000)
      : world.between(0, this.#settings.settle - 1000)
    switch (fault) {
      case 'refused': return answer({ ...quota, status: 400, errors: ['INVALID'] })
      case 'failed-undone': return answer({ ...quota, status: 500, errors: ['FAILED'] })
      case 'failed-done': done(); return answer({ ...quota, status: 502 })
      case 'failed-later': done(late()); return answer({ ...quota, status: 503, errors: ['FAILED'] })
      case 'html-408-later': done(late()); return answer({ ...quota, status: 408 })
      case 'lost-answer': done(); return cut()
      case 'hang-undone': return
      case 'hang-done': done(); return
      case 'hang-later': done(late()); return
      default: return answer({ ...quota, ...isWrite(call) ? done() : this.#show(call) })
    }
  }

  /** Spot's limiter: it counts each call that arrives, and reports what is left. */
  #count (route: string): HttpLike {
    const { limit, rounding } = this.#settings
    const { now } = this.#world
    const all = this.arrivals.get(route) ?? []
    this.arrivals.set(route, all)
    const arrivals = all.filter((at) => at > now - 60_000)
    if (limit === Infinity) return { status: 200, headers: {} }
    const isOver = arrivals.length >= limit
    if (!isOver) {
      all.push(now)
      arrivals.push(now)
    }
    const oldest = arrivals[0] as number
    const seconds = (oldest + 60_000 - now) / 1000
    const headers = {
      'x-ratelimit-limit': String(limit),
      'x-ratelimit-remaining': String(Math.max(0, limit - arrivals.length)),
      'x-ratelimit-reset': String(rounding === 'up' ? Math.ceil(seconds) : Math.floor(seconds))
    }
    return { status: isOver ? 429 : 200, headers }
  }

  /** @param later milliseconds until it is carried out */
  #carryOut (sent: Sent, later: number, isLate = false): Partial<HttpLike> {
    if (later > 0) {
      this.#world.at(this.#world.now + later, () => this.#carryOut(sent, 0, true))
      return {}
    }
    const { method, path: [, , , id], body } = sent.call
    const { value = 0, request = '', compute } = (body ?? {}) as Partial<Resource>
    const at = this.#world.now
    if (method === 'POST') {
      const made = { id: `sig-${++this.#made}`, value, request, compute }
      this.#resources.set(made.id, { ...made, shownAt: at + (isLate ? 0 : this.#lag()) })
      this.commits.push({ at, request, id: made.id, value, sent })
      return { items: [{ ...made }] }
    }
    const resource = this.#resources.get(id as string)
    if (!resource || resource.goneAt !== undefined) return { status: 400, errors: ['GROUP_DOESNT_EXIST'] }
    if (method === 'DELETE') resource.goneAt = at
    else resource.value = value
    this.commits.push({ at, request, id: resource.id, value: method === 'DELETE' ? undefined : value, sent })
    return { items: [{ id: resource.id, value: resource.value }] }
  }

  /** Milliseconds until what was made shows in lists. What is made late shows at once: together it takes `settle`. */
  #lag = () => this.#world.between(0, this.#settings.settle - 1000)

  #show ({ path: [, , , id] }: Call): Partial<HttpLike> {
    const now = this.#world.now
    const answerId = ++this.#answerCount
    this.answers.set(answerId, { id: answerId, arrivedAt: now, resource: id })
    const shown = ({ id, value, compute }: Resource) => ({ id, value, compute, answerId })
    if (id === undefined) {
      const all = [...this.#resources.values()]
      return { items: all.filter((one) => one.shownAt <= now && one.goneAt === undefined).map(shown), answerId }
    }
    const one = this.#resources.get(id)
    return one && one.goneAt === undefined
      ? { items: [shown(one)], answerId }
      : { status: 400, errors: ['GROUP_DOESNT_EXIST'], answerId }
  }

  /** What the gateway makes of an answer: the same rules as over HTTP, without its bytes. */
  #read (
    clock: Clock, call: Call, { status, headers, items, errors, answerId }: HttpLike, askedAt: number, sent: Sent
  ): Answer {
    const quota = quotaOf(status, headers)
    sent.reportedQuota = quota
    sent.answerId = answerId
    sent.receivedAt = clock.now()
    if (status !== 200) {
      const outcome = outcomeOfStatus(status, errors)
      throw new SpotError({
        call, outcome, quota, calls: 1, ...quota?.blocked && { retryAfter: secondsOf(quota.reset), limit: quota.limit }
      })
    }
    return { items: items ?? [], size: 100, source: 'spot', askedAt, calls: 1, quota }
  }
}

/** A call that left a server, and what the server received. */
export interface Sent {
  call: Call
  /** By the world. */
  at: number
  /** By the server's clock. */
  askedAt: number
  /** When it arrived at Spot, by the world. */
  arrivedAt?: number
  /** When the server had the answer or gave up, by the world; a server that dies gives up at the deadline. */
  endsBy: number
  reportedQuota: Quota | undefined
  /** When Spot, which refused it, has room again, by the world: the reset before it was rounded. */
  roomAt?: number
  /** When the server had the answer, by its clock. */
  receivedAt?: number
  answerId?: number | undefined
}

interface HttpLike {
  status: number
  headers: Record<string, string>
  items?: object[]
  errors?: string[] | undefined
  answerId?: number | undefined
}
