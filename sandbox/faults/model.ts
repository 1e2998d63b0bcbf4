import type { ErrorEntry } from '../protocol/errors.js'

/** What the caller gets in place of a proper reply; `engine.ts` has how each looks on the socket. */
export type FaultKind = 'status' | 'reset' | 'hang' | 'garbage' | 'truncated' | 'stall' | 'html' | 'redirect' |
  'wrong-content-type'

/**
 * A fault for future calls.
 *
 * `commit` says whether the operation runs, `kind` what the caller sees:
 * - `'none'`: it does not run (lost before the commit). The default, but see below.
 * - `'first'`: it runs, `latency` passes, then comes the fault (commit then reset, commit then 504 …). The
 *   default of `truncated`, `stall` and `wrong-content-type`, which alter the genuine reply.
 * - `'late'`: the fault comes first; after `lateBy` the operation runs all the same.
 *
 * Without `kind`, `status`, `errors` and `body` the reply is genuine, after `latency`; with `commit: 'first'`
 * the operation runs before that. `headers` are added to the reply.
 */
export interface Fault {
  method?: string
  /** A prefix of the path as received, or a regular expression for it. */
  path?: string | RegExp
  /** How many calls it affects; Infinity is allowed. Default 1. */
  times?: number
  /** How likely it affects a matching call, 0 to 1. Default 1. A call it spares does not count in `times`. */
  probability?: number
  /** Wait before the fault. */
  latency?: Delay
  /** Default: `status` if a status, errors or a body are given. */
  kind?: FaultKind
  /** Default 500 for `status`, 400 with `errors`, 502 for `html`, 302 for `redirect`, 200 for the rest. */
  status?: number
  /** What the error envelope lists, such as AWS throttling: `[{ code: 'RequestLimitExceeded', message: '…' }]`. */
  errors?: ErrorEntry[]
  /** A string is sent unchanged, anything else as JSON. Default: an error envelope, or what fits the kind. */
  body?: unknown
  headers?: Record<string, string>
  commit?: 'none' | 'first' | 'late'
  /** Wait between the fault and a late commit. Default 50. */
  lateBy?: Delay
}

/** Milliseconds of real time, or, within one process, a promise to wait for. */
export type Delay = number | Promise<unknown>

/** Faults waiting for matching calls. */
export class Faults {
  #waiting: { fault: Fault, left: number }[] = []

  /** Adds a fault. A call gets the first one that matches. */
  inject (fault: Fault): void {
    this.#waiting.push({ fault, left: fault.times ?? 1 })
  }

  /** The faults that calls may still get, in order, each with the number of calls that it still affects. */
  get waiting (): readonly { fault: Fault, left: number }[] {
    return this.#waiting
  }

  /** Removes all faults. */
  clear (): void {
    this.#waiting = []
  }

  /** The fault for this call, or undefined. Counts down its `times`. */
  take (call: { method: string, path: string }): Fault | undefined {
    const met = this.#waiting.find(({ fault }) => fits(fault, call) && Math.random() < (fault.probability ?? 1))
    if (met === undefined) return undefined
    met.left--
    if (met.left <= 0) this.#waiting = this.#waiting.filter((entry) => entry !== met)
    return met.fault
  }
}

/** What the caller gets; undefined for a proper reply. */
export function kindOf (fault: Fault): FaultKind | undefined {
  const { kind, status, errors, body } = fault
  return kind ?? (status === undefined && errors === undefined && body === undefined ? undefined : 'status')
}

/** When the operation runs under this fault; see `Fault`. */
export function commitOf (fault: Fault): 'none' | 'first' | 'late' {
  const spoils = fault.kind === 'truncated' || fault.kind === 'stall' || fault.kind === 'wrong-content-type'
  return fault.commit ?? (spoils ? 'first' : 'none')
}

function fits (fault: Fault, call: { method: string, path: string }): boolean {
  if (fault.method !== undefined && fault.method.toUpperCase() !== call.method) return false
  if (fault.path === undefined) return true
  // `search`, not `test`, which starts at lastIndex.
  return typeof fault.path === 'string' ? call.path.startsWith(fault.path) : call.path.search(fault.path) !== -1
}
