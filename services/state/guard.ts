import { randomUUID } from 'node:crypto'
import { withTimer } from '../event-loop/deadline.js'
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

export interface GuardOptions {
  /** Milliseconds that a call may take. */
  timeout: number
  /** Message for the operator. */
  explain: (cause: Error) => string
  onChange: OnChange
}

/** Called between calls: with why the connection broke, or undefined when there is one. */
export type OnConnection = (cause: Error | undefined) => void

/** Prefix of the keys of probes, which `all` skips. */
const PROBE = 'probe:'

/** What a probe writes: more than most records, as a full disk still has room for a small one now and then. */
const PROBE_VALUE = 'x'.repeat(16_384)

/** A state whose calls do not hang, whose failures are `StateError`s, and that reports when it fails or recovers. */
export function guard (open: (onConnection: OnConnection) => State, options: GuardOptions): WatchedState {
  const { timeout, explain, onChange } = options
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
      const result = await withTimeout(timeout, call())
      if (health.failure) recovered(result, begun)
      return result
    } catch (cause) {
      throw failed(trouble, cause as Error)
    }
  }
  const reading = <T>(call: () => Promise<T>) =>
    attempt('read', call, (_, begun) => health.succeeded(['connection', 'read'], begun))

  /** A swap that lost a race wrote nothing, and even a small write proves little: see `PROBE_VALUE`. */
  const writing = <T>(call: () => Promise<T>) => attempt('write', call, (done) => done && probe())

  let probing: Promise<unknown> | undefined
  async function probe (): Promise<void> {
    // A new key each time, as a refused swap would write nothing.
    probing ??= attempt('write', () => state.swap(PROBE + randomUUID(), undefined, PROBE_VALUE, 1), (_, begun) =>
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

function withTimeout<T> (milliseconds: number, work: Promise<T>): Promise<T> {
  return withTimer(work, (end) => {
    const timer = setTimeout(end, milliseconds)
    return () => clearTimeout(timer)
  }, () => new Error(`no answer within ${milliseconds / 1000} seconds`))
}
