import type { ErrorEntry } from '../protocol/errors.js'

/** What a caller meets instead of a proper reply; `strikes.ts` says how each looks on the socket. */
export type FaultKind = 'status' | 'reset' | 'hang' | 'garbage' | 'truncated' | 'stall' | 'html' | 'redirect' |
  'wrong-content-type'

/**
 * A misfortune for calls to come.
 *
 * `commit` says what becomes of the operation itself, while `kind` says what the caller sees:
 * - `'none'`: it is not carried out (lost before the commit). The default, but see below.
 * - `'first'`: it is carried out, `latency` passes, the fault strikes (commit then reset, commit then 504 …). The
 *   default of `truncated`, `stall` and `wrong-content-type`, which spoil the genuine reply.
 * - `'late'`: the fault strikes, and, after `lateBy`, it is carried out all the same.
 *
 * Without `kind`, `status`, `errors` and `body` the call is answered properly, after `latency`; with `commit: 'first'`
 * it is carried out before that. `headers` are added to the reply.
 */
export interface Fault {
  method?: string
  /** A beginning of the path as received, or an expression that it matches. */
  path?: string | RegExp
  /** How many calls it meets; Infinity is allowed. Default 1. */
  times?: number
  /** How likely it meets a call that fits, 0 to 1. Default 1. A call it spares is not counted in `times`. */
  probability?: number
  /** What to wait for before it strikes. */
  latency?: Delay
  /** Default `status` when a status, errors or a body are given. */
  kind?: FaultKind
  /** Default 500 for `status`, 400 with `errors`, 502 for `html`, 302 for `redirect`, 200 for the rest. */
  status?: number
  /** What the error envelope lists, such as AWS throttling: `[{ code: 'RequestLimitExceeded', message: '…' }]`. */
  errors?: ErrorEntry[]
  /** A string is sent as it is, anything else as JSON. Default: an error envelope, or what fits the kind. */
  body?: unknown
  headers?: Record<string, string>
  commit?: 'none' | 'first' | 'late'
  /** What a late commit waits for after the strike. Default 50. */
  lateBy?: Delay
}

/** Milliseconds of real time; or, within one process, a promise: until that is settled. */
export type Delay = number | Promise<unknown>

/** The faults that wait for their calls. */
export class Faults {
  #waiting: { fault: Fault, left: number }[] = []

  /** Adds a fault. A call meets the first one that fits it. */
  inject (fault: Fault): void {
    this.#waiting.push({ fault, left: fault.times ?? 1 })
  }

  /** Forgets all faults. */
  clear (): void {
    this.#waiting = []
  }

  /** The fault that this call meets, or undefined; it is one less then. */
  take (call: { method: string, path: string }): Fault | undefined {
    const met = this.#waiting.find(({ fault }) => fits(fault, call) && Math.random() < (fault.probability ?? 1))
    if (met === undefined) return undefined
    met.left--
    if (met.left <= 0) this.#waiting = this.#waiting.filter((entry) => entry !== met)
    return met.fault
  }
}

/** What the caller meets; undefined for a proper reply. */
export function kindOf (fault: Fault): FaultKind | undefined {
  const { kind, status, errors, body } = fault
  return kind ?? (status === undefined && errors === undefined && body === undefined ? undefined : 'status')
}

/** When the operation is carried out under this fault; see `Fault`. */
export function commitOf (fault: Fault): 'none' | 'first' | 'late' {
  const spoils = fault.kind === 'truncated' || fault.kind === 'stall' || fault.kind === 'wrong-content-type'
  return fault.commit ?? (spoils ? 'first' : 'none')
}

function fits (fault: Fault, call: { method: string, path: string }): boolean {
  if (fault.method !== undefined && fault.method.toUpperCase() !== call.method) return false
  if (fault.path === undefined) return true
  // `search`, not `test`: it minds no lastIndex.
  return typeof fault.path === 'string' ? call.path.startsWith(fault.path) : call.path.search(fault.path) !== -1
}
