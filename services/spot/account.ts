import type { Answer } from './answer.js'
import { isWrite, type Call, type Expectation, type RequestTerms, type SpotAccount } from './call.js'
import { dryRun } from './dry-run.js'
import { SpotError } from './error.js'
import { capacity } from './operations/capacity.js'
import { elastigroups } from './operations/elastigroups.js'
import { imports } from './operations/imports.js'
import { managedInstances } from './operations/managed-instances.js'
import { rolls } from './operations/rolls.js'
import { statefulInstances } from './operations/stateful-instances.js'
import type { Spot, Words } from './operations/spot.js'
import type { Next } from './stage.js'
import { endpointOf } from './wire/target.js'

export interface AccountSettings extends SpotAccount {
  /** VPC of managed instances that name none. */
  defaultVPC?: string | undefined
}

export interface AccountTerms extends RequestTerms {
  /** Whether writes are only tried: none is sent, the problem `dry-run` says what it would do. */
  dryRun: boolean
}

/** What an account is to Spot: two names may stand for one. */
export const identityOf = ({ endpoint, id }: SpotAccount): string => JSON.stringify([endpointOf(endpoint), id])

/** Different calls that one request makes at most; each can be sent up to three times. No operation needs more. */
const MOST_CALLS = 4

/** What one request got of Spot. */
interface Read {
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
  /** What it is to Spot; a name may stand for another one after a reload. */
  readonly identity: string
  /** Whether its writes are only tried. */
  readonly dryRun: boolean
  readonly #spot: Spot
  readonly #read: Read
  readonly #reopen: (terms: Pick<AccountTerms, 'fresh' | 'reserved' | 'dryRun'>) => Account

  /** @param send the way of a call to Spot */
  constructor (
    name: string, settings: AccountSettings, send: Next, { dryRun: dry, ...terms }: AccountTerms,
    read: Read = { asked: 0, answers: [], calls: 0, requestId: undefined }
  ) {
    this.name = name
    this.identity = identityOf(settings)
    this.defaultVPC = settings.defaultVPC
    this.deadline = terms.deadline
    this.dryRun = dry
    this.#read = read
    this.#reopen = (other) => new Account(name, settings, send, { ...terms, ...other }, read)

    const ask = async <T>(expects: Expectation, [operation, method, path, payload, present]: Words): Promise<T[]> => {
      const call: Call = { operation, method, path, expects, ...payload, ...terms }
      if (isWrite(call)) read.write = call
      if (dry && isWrite(call)) throw dryRun(settings, call, await present?.(this.fresh.#spot))
      if (++read.asked > MOST_CALLS) throw new Error(`More than ${MOST_CALLS} calls for one request`)
      const { items } = await this.#count(send(call))
      return items as T[] // the stage that talks to Spot has seen to what is expected
    }
    this.#spot = {
      items: (...words) => ask('items', words),
      item: async <T>(...words: Words) => (await ask<T>('item', words))[0] as T,
      created: async <T>(id: string, ...words: Words) => (await ask<T>({ itemWith: id }, words))[0] as T,
      done: async (...words) => { await ask('nothing', words) }
    }
  }

  get capacity () { return capacity(this.#spot) }
  get elastigroups () { return elastigroups(this.#spot) }
  get imports () { return imports(this.#spot) }
  get managedInstances () { return managedInstances(this.#spot) }
  get rolls () { return rolls(this.#spot) }
  get statefulInstances () { return statefulInstances(this.#spot) }

  /**
   * The same account for reads on which a write depends: never from memory, and with the part of Spot's rate limit that
   * is kept for them. What they take counts for this request.
   */
  get fresh (): Account { return this.#reopen({ fresh: true, reserved: true, dryRun: false }) }

  /** What Spot answered to this request, in the order in which it came. */
  get answers (): readonly Answer[] { return this.#read.answers }

  /** The write that it asked of Spot, or tried, whatever came of it. */
  get write (): Pick<Call, 'query' | 'body'> | undefined { return this.#read.write }

  /** Calls that were sent to Spot for this request, whatever came of them. */
  get calls (): number { return this.#read.calls }

  /** The id by which Spot knows the last of them. */
  get requestId (): string | undefined { return this.#read.requestId }

  async #count (sent: Promise<Answer>): Promise<Answer> {
    try {
      const answer = await sent
      this.#read.answers.push(answer)
      this.#add(answer)
      return answer
    } catch (error) {
      if (error instanceof SpotError) this.#add(error)
      throw error
    }
  }

  #add ({ calls, requestId }: { calls: number, requestId?: string | undefined }) {
    this.#read.calls += calls
    if (calls > 0) this.#read.requestId = requestId
  }
}
