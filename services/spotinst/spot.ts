import { scopeOf, type Memory, type Reading, type Result, type Scope } from '../reads/memory.js'
import { isWrite, type Call, type Method, type Path, type Payload, type SpotAccount } from './call.js'
import { dryRun as dryRunOf } from './dry-run.js'
import { SpotError } from './error.js'
import { outcomes } from './outcomes.js'
import type { Tell, Transport } from './transport.js'

/** One upstream operation: its name (for logs and metrics), method, path, and what goes with it. */
type Operation = [operation: string, method: Method, path: Path, payload?: Payload]

/**
 * Spot as one request sees it. The functions differ in what they expect of a 200: `items` a list, `item` at least one,
 * `done` nothing. What comes may be shared with other requests: it is not to be changed.
 */
export interface Spot {
  /** @throws {SpotError} when the call does not succeed */
  items<T extends object> (...operation: Operation): Promise<T[]>
  /** @throws {SpotError} when the call does not succeed, or brings no item: `not-found` of a read */
  item<T extends object> (...operation: Operation): Promise<T>
  /** @throws {SpotError} when the call does not succeed */
  done (...operation: Operation): Promise<void>
}

/** What goes for one request. */
export interface Terms {
  /** When it must be over, by `performance.now()`, however many calls it makes. */
  deadline: number
  /** Whether only what Spot says now will do. */
  fresh: boolean
  /** Told of every read. */
  told (reading: Reading, result: Result): void
  /** Told of every attempt that was sent. */
  sent?: Tell
  /** Whether writes are not sent, but thrown as a {@link DryRun}. */
  dryRun?: boolean
  /** The trace that the request is a part of. */
  traceparent?: string | undefined
}

/** What an account shares among its requests. */
export interface Shared {
  account: SpotAccount
  transport: Transport
  memory: Memory
  /** Forgets what a write touched, here and on all servers. */
  forget: (scope: Scope) => Promise<void>
  /** What the account is to Spot: two names may stand for one. */
  identity: string
}

const isItem = <T extends object>(value: unknown): value is T =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export function spotOf (
  { account, transport, memory, forget, identity }: Shared,
  { deadline, fresh, told, sent = () => {}, dryRun = false, traceparent }: Terms
): Spot {
  /** What was read is shared by those who ask the same, so its time is not that of one of them. */
  async function read<T extends object> (fewest: 0 | 1, call: Call): Promise<T[]> {
    const key = `${identity} ${call.operation} ${call.path.join('/')} ${JSON.stringify(call.query ?? {})}`
    const ask = () => transport.send(call, Infinity, ({ response, size }) => {
      const value = itemsOf<T>(response.items)
      if (value && value.length >= fewest) return { value, size }
      throw failure(call, value ? 'not-found' : 'unreadable')
    }, sent)
    const reading = memory.read(key, scopeOf(identity, call.path), fresh, ask, mayStandIn)
    const answer = await before(deadline, reading, () => failure(call, 'timeout'))
    told(answer.reading, answer.result)
    return answer.reading.value
  }

  async function write<T> (call: Call, take: (items: unknown) => T): Promise<T> {
    if (dryRun) throw dryRunOf(account, call)
    try {
      return await transport.send(call, deadline, ({ response }) => take(response.items), sent)
    } finally {
      await forget(scopeOf(identity, call.path)) // whatever came of it
    }
  }

  function list<T extends object> (fewest: 0 | 1, [operation, method, path, payload]: Operation): Promise<T[]> {
    const call = { operation, method, path, ...payload, traceparent }
    if (!isWrite(call)) return read(fewest, call)
    return write(call, (items) => {
      const value = itemsOf<T>(items)
      if (value && value.length >= fewest) return value
      throw failure(call, 'unreadable')
    })
  }

  return {
    items: (...operation) => list(0, operation),
    async item<T extends object> (...operation: Operation) {
      const [item] = await list<T>(1, operation)
      return item as T // list() throws where there is none
    },
    done: (operation, method, path, payload) =>
      write({ operation, method, path, ...payload, traceparent }, () => undefined)
  }
}

const itemsOf = <T extends object>(items: unknown): T[] | undefined =>
  Array.isArray(items) ? items.flat().filter(isItem<T>) : undefined

const failure = (call: Call, outcome: 'not-found' | 'unreadable' | 'timeout') => new SpotError({
  operation: call.operation, write: isWrite(call), outcome, ...outcome !== 'timeout' && { upstream: { status: 200 } }
})

/** Whether something Spot said before may be taken for its answer: it is out of order, or must not be asked. */
const mayStandIn = (error: unknown) => error instanceof SpotError && error.outcome !== 'success' &&
  (outcomes[error.outcome].breaks || error.outcome === 'rate-limited' || error.outcome === 'withheld')

/** @throws whatever `late` makes, when the deadline passes first */
async function before<T> (deadline: number, promise: Promise<T>, late: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(late()), Math.max(0, deadline - performance.now()))
  })
  try {
    return await Promise.race([promise, over])
  } finally {
    clearTimeout(timer)
  }
}
