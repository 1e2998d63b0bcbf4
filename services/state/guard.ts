import { randomUUID } from 'node:crypto'
import { orLate } from '../event-loop/deadline.js'
import { StateError } from './error.js'
import { Health, type OnChange, type Trouble } from './health.js'
import type { State } from './state.js'

/** A state that reports whether it can be used. */
export interface WatchedState extends State {
  /** Why it cannot be used; undefined while it can. */
  readonly failure: StateError | undefined
  /**
   * Writes a record that expires at once, to find out whether the state can be used. Happens by itself when a
   * connection or a write succeeds while it is down. Never rejects.
   */
  probe (): Promise<void>
}

export interface Terms {
  /** Milliseconds that a call may take. */
  patience: number
  /** Message for the operator. */
  explain: (cause: Error) => string
  onChange: OnChange
}

/** Called between calls: with why the connection broke, or undefined when there is one. */
export type OnConnection = (cause: Error | undefined) => void

/** Prefix of the keys of probes, which `all` skips. */
const PROBE = 'probe:'

/** What a probe writes: more than most records, as a full disk still has room for a small one now and then. */
const AMPLE = 'x'.repeat(16_384)

/** The state, with every failure as a `StateError`, no call that hangs, and a report when it fails or recovers. */
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
    // Without a probe, the failed calls may have been the last for hours.
    return health.failure && probe()
  })

  /** @param recovered called after a success while the state is down, with when the call began */
  async function attempt<T> (
    trouble: 'read' | 'write', call: () => Promise<T>, recovered: (result: T, begun: number) => unknown
  ) {
    const begun = health.now()
    try {
      const result = await within(patience, call())
      if (health.failure) recovered(result, begun)
      return result
    } catch (cause) {
      throw failed(trouble, cause as Error)
    }
  }
  const reading = <T>(call: () => Promise<T>) =>
    attempt('read', call, (_, begun) => health.succeeded(['connection', 'read'], begun))

  /** A swap that lost a race wrote nothing, and even a small write proves little: see `AMPLE`. */
  const writing = <T>(call: () => Promise<T>) => attempt('write', call, (done) => done && probe())

  let probing: Promise<unknown> | undefined
  async function probe (): Promise<void> {
    // A new key each time, as a refused swap would write nothing.
    probing ??= attempt('write', () => state.swap(PROBE + randomUUID(), undefined, AMPLE, 1), (_, begun) =>
      health.succeeded(['connection', 'read', 'write'], begun)).catch(() => {}).finally(() => { probing = undefined })
    await probing
  }

  return {
    get failure () { return health.failure },
    probe,
    get: (key) => reading(() => state.get(key)),
    swap: (...change) => writing(() => state.swap(...change)),
    remove: (...change) => writing(() => state.remove(...change)),
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

function within<T> (milliseconds: number, work: Promise<T>): Promise<T> {
  return orLate(work, (end) => {
    const timer = setTimeout(end, milliseconds)
    return () => clearTimeout(timer)
  }, () => new Error(`no answer within ${milliseconds / 1000} seconds`))
}
