import { randomUUID } from 'node:crypto'
import { StateError } from './error.js'
import { Health, type OnChange, type Trouble } from './health.js'
import type { State } from './state.js'

/** A state that says when it is ill. */
export interface WatchedState extends State {
  /** Why it cannot be used; undefined while it can. */
  readonly failure: StateError | undefined
  /** Writes and forgets a record of its own, and so finds out whether the state can be used. Never rejects. */
  probe (): Promise<void>
}

export interface Terms {
  /** Milliseconds that a call may take. */
  patience: number
  /** What a failure means to the operator. */
  explain: (cause: Error) => string
  onChange: OnChange
}

/** Told by the state itself, between calls: why its connection broke, or undefined when there is one. */
export type OnConnection = (cause: Error | undefined) => void

/** Keys of probes. Nobody else sees them. */
const PROBE = 'probe:'

/** What a success proves. Whoever could write can read. */
const READ = ['connection', 'read'] as const
const WRITE = ['connection', 'read', 'write'] as const

/** The state, with every failure a `StateError`, no call that hangs, and a word for the operator when it is ill. */
export function guard (open: (onConnection: OnConnection) => State, terms: Terms): WatchedState {
  const { patience, explain, onChange } = terms
  const health = new Health(onChange)
  let closed = false
  const failed = (trouble: Trouble, cause: Error) => {
    const error = new StateError(explain(cause), { cause })
    if (!closed) health.failed(trouble, error)
    return error
  }
  const state = open((cause) => {
    if (cause) return failed('connection', cause)
    health.succeeded(['connection'], health.now())
    // The calls that failed meanwhile may have been the last for hours.
    return health.failure && probe()
  })

  /** @param wrote whether the result shows that something was written: who was too late has only read */
  async function attempt<T> (trouble: 'read' | 'write', call: () => Promise<T>, wrote: (result: T) => boolean) {
    const begun = health.now()
    try {
      const result = await within(patience, call())
      health.succeeded(wrote(result) ? WRITE : READ, begun)
      return result
    } catch (cause) {
      throw failed(trouble, cause as Error)
    }
  }
  const reading = <T>(call: () => Promise<T>) => attempt('read', call, () => false)

  const swap: State['swap'] = (...change) =>
    attempt('write', () => state.swap(...change), (version) => version !== undefined)

  async function probe (): Promise<void> {
    // A new key each time: a swap that is refused would write nothing.
    await swap(PROBE + randomUUID(), undefined, '', 1).catch(() => {})
  }

  return {
    get failure () { return health.failure },
    probe,
    get: (key) => reading(() => state.get(key)),
    swap,
    remove: (...change) => attempt('write', () => state.remove(...change), Boolean),
    async * all () {
      const records = state.all()[Symbol.asyncIterator]()
      for (;;) {
        const { done, value } = await reading(() => records.next())
        if (done) return
        if (!value[0].startsWith(PROBE)) yield value
      }
    },
    close () {
      closed = true
      return state.close()
    }
  }
}

async function within<T> (milliseconds: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${milliseconds / 1000} seconds`)), milliseconds)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
