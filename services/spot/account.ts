import type { Answer } from './answer.js'
import { isWrite, type Call, type CallOptions, type Expectation, type SpotAccount } from './call.js'
import { dryRun } from './dry-run.js'
import { SpotError } from './error.js'
import { capacity } from './operations/capacity.js'
import { elastigroupInstances } from './operations/elastigroup-instances.js'
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

/** Different calls that one request makes at most; each can be sent up to three times. No operation needs more. */
const MAX_CALLS = 4

/** What this request asked of Spot, what Spot answered, and how many calls it took. */
interface Exchanged {
  asked: number
  answers: Answer[]
  calls: number
  requestId: string | undefined
  write?: Pick<Call, 'query' | 'body'>
}

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
  readonly #exchanged: Exchanged
  readonly #withOptions: (options: Pick<AccountOptions, 'fresh' | 'reserved' | 'dryRun'>) => Account

  /** @param send sends a call to Spot */
  constructor (
    name: string, settings: AccountSettings, send: Next, { dryRun: dry, ...options }: AccountOptions,
    exchanged: Exchanged = { asked: 0, answers: [], calls: 0, requestId: undefined }
  ) {
    this.name = name
    this.identity = identityOf(settings)
    this.defaultVPC = settings.defaultVPC
    this.deadline = options.deadline
    this.dryRun = dry
    this.#exchanged = exchanged
    this.#withOptions = (other) => new Account(name, settings, send, { ...options, ...other }, exchanged)

    const ask = async <T>(
      expects: Expectation, [operation, method, path, payload, present]: OperationArguments
    ): Promise<T[]> => {
      const call: Call = { operation, method, path, expects, ...payload, ...options }
      if (isWrite(call)) exchanged.write = call
      if (dry && isWrite(call)) throw dryRun(settings, call, await present?.(this.fresh.#spot))
      if (++exchanged.asked > MAX_CALLS) throw new Error(`More than ${MAX_CALLS} calls for one request`)
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
  get elastigroupInstances () { return elastigroupInstances(this.#spot) }
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
  get answers (): readonly Answer[] { return this.#exchanged.answers }

  /** The write that it asked of Spot, or tried, whatever came of it. */
  get write (): Pick<Call, 'query' | 'body'> | undefined { return this.#exchanged.write }

  /** Calls that were sent to Spot for this request, failed ones included. */
  get calls (): number { return this.#exchanged.calls }

  /** Spot's id of the last of them. */
  get requestId (): string | undefined { return this.#exchanged.requestId }

  async #recordAnswer (sent: Promise<Answer>): Promise<Answer> {
    try {
      const answer = await sent
      this.#exchanged.answers.push(answer)
      this.#recordCalls(answer)
      return answer
    } catch (error) {
      if (error instanceof SpotError) this.#recordCalls(error)
      throw error
    }
  }

  #recordCalls ({ calls, requestId }: { calls: number, requestId?: string | undefined }) {
    this.#exchanged.calls += calls
    if (calls > 0) this.#exchanged.requestId = requestId
  }
}
