import type { Answer } from './answer.js'
import { isWrite, type Call, type CallOptions, type Expectation, type SpotAccount } from './call.js'
import { dryRun } from './dry-run.js'
import { SpotError } from './error.js'
import { capacity } from './operations/capacity.js'
import { elastigroups } from './operations/elastigroups.js'
import { imports } from './operations/imports.js'
import { managedInstances } from './operations/managed-instances.js'
import { rolls } from './operations/rolls.js'
import { statefulInstances } from './operations/stateful-instances.js'
import type { OperationArguments, Spot } from './operations/spot.js'
import type { Next } from './stage.js'
import { endpointOf } from './wire/target.js'

export interface AccountSettings extends SpotAccount {
  /** VPC of managed instances that name none. */
  defaultVPC?: string | undefined
}

export interface AccountOptions extends CallOptions {
  /** Writes are not sent; the problem `dry-run` shows what would be. */
  dryRun: boolean
}

/** Endpoint and account id. Two names may have the same. */
export const identityOf = ({ endpoint, id }: SpotAccount): string => JSON.stringify([endpointOf(endpoint), id])

/** What Spot answered to this request, and how many calls it took. */
interface Received { answers: Answer[], calls: number, requestId: string | undefined }

/** A configured account as one request sees it: what it is like, what Spot can do in it, and what Spot answered. */
export class Account {
  readonly name: string
  readonly defaultVPC: string | undefined
  /** When the request must be over, by the clock. */
  readonly deadline: number
  /** `identityOf` the account; after a reload its name may stand for another one. */
  readonly identity: string
  /** Writes are not sent: see `AccountOptions`. */
  readonly dryRun: boolean
  readonly #spot: Spot
  readonly #received: Received
  readonly #withOptions: (options: Pick<AccountOptions, 'fresh' | 'reserved' | 'dryRun'>) => Account

  /** @param send sends a call to Spot */
  constructor (
    name: string, settings: AccountSettings, send: Next, { dryRun: dry, ...options }: AccountOptions,
    received: Received = { answers: [], calls: 0, requestId: undefined }
  ) {
    this.name = name
    this.identity = identityOf(settings)
    this.defaultVPC = settings.defaultVPC
    this.deadline = options.deadline
    this.dryRun = dry
    this.#received = received
    this.#withOptions = (other) => new Account(name, settings, send, { ...options, ...other }, received)

    const ask = async <T>(
      expects: Expectation, [operation, method, path, payload, present]: OperationArguments
    ): Promise<T[]> => {
      const call: Call = { operation, method, path, expects, ...payload, ...options }
      if (dry && isWrite(call)) throw dryRun(settings, call, await present?.(this.fresh.#spot))
      const { items } = await this.#recordAnswer(send(call))
      return items as T[] // the wire has checked what is expected
    }
    this.#spot = {
      items: (...args) => ask('items', args),
      item: async <T>(...args: OperationArguments) => (await ask<T>('item', args))[0] as T,
      created: async <T>(id: string, ...args: OperationArguments) => (await ask<T>({ itemWith: id }, args))[0] as T,
      done: async (...args) => { await ask('nothing', args) }
    }
  }

  get capacity () { return capacity(this.#spot) }
  get elastigroups () { return elastigroups(this.#spot) }
  get imports () { return imports(this.#spot) }
  get managedInstances () { return managedInstances(this.#spot) }
  get rolls () { return rolls(this.#spot) }
  get statefulInstances () { return statefulInstances(this.#spot) }

  /**
   * For reads that a write depends on: bypasses memory and may use the reserve. Its calls count towards this request.
   */
  get fresh (): Account { return this.#withOptions({ fresh: true, reserved: true, dryRun: false }) }

  /** What Spot answered to this request, in the order in which it came. */
  get answers (): readonly Answer[] { return this.#received.answers }

  /** Calls that were sent to Spot for this request, failed ones included. */
  get calls (): number { return this.#received.calls }

  /** Spot's id of the last of them. */
  get requestId (): string | undefined { return this.#received.requestId }

  async #recordAnswer (sent: Promise<Answer>): Promise<Answer> {
    try {
      const answer = await sent
      this.#received.answers.push(answer)
      this.#recordCalls(answer)
      return answer
    } catch (error) {
      if (error instanceof SpotError) this.#recordCalls(error)
      throw error
    }
  }

  #recordCalls ({ calls, requestId }: { calls: number, requestId?: string | undefined }) {
    this.#received.calls += calls
    if (calls > 0) this.#received.requestId = requestId
  }
}
