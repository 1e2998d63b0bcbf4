import { Allowance, type Refusal, type Ticket } from './allowance.js'
import type { Heard } from './quota.js'

type Soon<T> = T | Promise<T>

/** Keeps the allowances of all routes. */
export interface Ledger<T = unknown> {
  /**
   * @param route what Spot counts together: organization, route template and method
   * @param lease milliseconds until the call has ended for certain
   */
  reserve (route: string, lease: number): Soon<{ ticket: T } | Refusal & Polled>
  settle (route: string, ticket: T, heard: Heard): Soon<void>
  /** Calls that may be sent now; undefined where that is not known. */
  remaining (route: string): number | undefined
  /** Gets ready before the first call. */
  open (): void
  close (): void
}

/** A refusal by what others know too: ask again after so many milliseconds, since nobody will call. */
export interface Polled { poll?: number }

/** Allowances in the memory of this process. The routes are a closed set, and those unused for a minute are dropped. */
export class MemoryLedger implements Ledger<Ticket> {
  readonly #now: () => number
  readonly #allowances = new Map<string, Allowance>()

  /** @param now milliseconds, by a clock that is never set back */
  constructor (now: () => number = () => performance.now()) {
    this.#now = now
  }

  reserve (route: string) {
    const now = this.#now()
    let allowance = this.#allowances.get(route)
    if (!allowance || allowance.forgotten(now)) this.#allowances.set(route, allowance = new Allowance())
    const answer = allowance.reserve(now)
    return 'wait' in answer ? answer : { ticket: answer }
  }

  settle (route: string, ticket: Ticket, heard: Heard): void {
    this.#allowances.get(route)?.settle(ticket, heard, this.#now())
  }

  remaining (route: string): number | undefined {
    const allowance = this.#allowances.get(route)
    if (!allowance?.forgotten(this.#now())) return allowance?.remaining
    this.#allowances.delete(route)
  }

  open () {}
  close () {}
}
