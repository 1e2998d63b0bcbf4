import type { Refusal } from './allowance.js'
import { Lane, type Place } from './lane.js'
import { MemoryLedger, type Ledger } from './ledger.js'
import type { Organization } from './organizations.js'

export { organizationsOf, type Organization } from './organizations.js'
export { SharedLedger } from './shared.js'
export { UNLIMITED, WINDOW, type Heard, type Quota } from './quota.js'
export type { Place } from './lane.js'
export type { Refusal } from './allowance.js'

/** What Spot counts together. The operation stands for route template and method: it is one to one with them. */
export interface Route {
  organization: Organization
  operation: string
  method: string
}

/** A route by the words that logs and metrics have for it. */
export interface RouteLabels { organization: string, route: string, method: string }

export interface BudgetOptions {
  /** Where the reckoning is kept; this process's memory unless set. */
  ledger?: Ledger
  /** Told when calls of a route begin to be refused, for how many seconds; and when that ends, after how many. */
  tell?: (blocked: boolean, about: RouteLabels & { seconds: number }) => void
  /** Milliseconds, by a clock that is never set back. */
  now?: () => number
}

/** Passes calls to Spot, as many as its rate limit has room for, and not one more. */
export class Budget {
  readonly #ledger: Ledger
  readonly #tell: NonNullable<BudgetOptions['tell']>
  readonly #now: () => number
  readonly #lanes = new Map<string, { lane: Lane, labels: RouteLabels }>()

  constructor ({ now = () => performance.now(), ledger = new MemoryLedger(now), tell = () => {} }: BudgetOptions = {}) {
    this.#ledger = ledger
    this.#tell = tell
    this.#now = now
  }

  /**
   * Takes a place for one call, and waits for it when that is short.
   *
   * @param until when the call must be over, by the clock
   */
  enter ({ organization, operation, method }: Route, until: number): Promise<Place | Refusal> {
    const key = `${organization.id}:${operation}`
    let known = this.#lanes.get(key)
    if (!known) {
      const labels = { organization: organization.name, route: operation, method }
      const tell = (blocked: boolean, milliseconds: number) =>
        this.#tell(blocked, { ...labels, seconds: Math.ceil(milliseconds / 1000) })
      known = { labels, lane: new Lane(key, this.#ledger, tell, this.#now) }
      this.#lanes.set(key, known)
    }
    return known.lane.enter(until)
  }

  /** Every route that was used: calls that may be sent now, where that is known, and seconds in which none could. */
  standings (): { labels: RouteLabels, remaining: number | undefined, blockedSeconds: number }[] {
    return [...this.#lanes].map(([key, { labels, lane }]) =>
      ({ labels, remaining: this.#ledger.remaining(key), blockedSeconds: lane.blockedSeconds }))
  }

  open (): void {
    this.#ledger.open()
  }

  close (): void {
    for (const { lane } of this.#lanes.values()) lane.close()
    this.#ledger.close()
  }
}
