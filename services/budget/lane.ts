import type { Refusal } from './allowance.js'
import type { Ledger, Polled } from './ledger.js'
import type { Heard } from './quota.js'

/** A call that may be sent. */
export interface Place {
  /** Says, once, what became of it. */
  settle (heard: Heard): void
}

/** Milliseconds that a call waits at most for the reset; what is further off is said at once. */
const NEAR = 2000

interface Waiter {
  /** When it must have been sent. */
  until: number
  resolve: (answer: Place | Refusal) => void
}

/** Told when calls begin to be refused, and for how long; and when that ends, and how long it was (milliseconds). */
type Tell = (blocked: boolean, milliseconds: number) => void

/** The calls of one route, sent in the order they came. */
export class Lane {
  readonly #route: string
  readonly #ledger: Ledger
  readonly #tell: Tell
  readonly #now: () => number
  readonly #waiting: Waiter[] = []
  #timer: NodeJS.Timeout | undefined
  #advancing = false
  #woken = false
  #block: { since: number, until: number } | undefined
  #blocked = 0

  constructor (route: string, ledger: Ledger, tell: Tell, now: () => number) {
    this.#route = route
    this.#ledger = ledger
    this.#tell = tell
    this.#now = now
  }

  /** Seconds in which calls were refused, all in all. */
  get blockedSeconds (): number {
    return (this.#blocked + (this.#block ? this.#now() - this.#block.since : 0)) / 1000
  }

  /** Waits for a place, unless that would take long. @param until when the call must be over */
  enter (until: number): Promise<Place | Refusal> {
    return new Promise((resolve) => {
      this.#waiting.push({ until, resolve })
      this.#advance()
    })
  }

  close (): void {
    clearTimeout(this.#timer)
  }

  /** Lets go whoever may. */
  async #advance (): Promise<void> {
    this.#woken = true
    if (this.#advancing) return
    this.#advancing = true
    clearTimeout(this.#timer)
    let refusal: Refusal & Polled | undefined
    while (this.#woken) {
      this.#woken = false
      refusal = undefined
      for (let first; !refusal && (first = this.#waiting[0]);) {
        const answer = await this.#ledger.reserve(this.#route, Math.max(0, first.until - this.#now()))
        if ('wait' in answer) {
          refusal = answer
        } else {
          this.#waiting.shift()
          this.#unblock()
          first.resolve(this.#place(answer.ticket))
        }
      }
      if (refusal) this.#dismiss(refusal)
    }
    this.#advancing = false
    this.#rest(refusal)
  }

  #place (ticket: unknown): Place {
    return {
      settle: async (heard) => {
        await this.#ledger.settle(this.#route, ticket, heard)
        if (typeof heard === 'object' && heard.blocked) this.#blockFor(heard.reset)
        if (this.#waiting.length > 0 || this.#block) this.#advance()
      }
    }
  }

  /** Refuses those who would wait in vain. */
  #dismiss (refusal: Refusal): void {
    const { wait, hope } = refusal
    const now = this.#now()
    const vain = ({ until }: Waiter) => until <= now || (!hope && (wait > NEAR || now + wait >= until))
    const dismissed = this.#waiting.filter(vain)
    if (dismissed.length === 0) return
    if (!hope && wait > 0) this.#blockFor(wait)
    const staying = this.#waiting.filter((waiter) => !vain(waiter))
    this.#waiting.splice(0, this.#waiting.length, ...staying)
    for (const { resolve } of dismissed) resolve(refusal)
  }

  /** Sleeps until the next thing that time alone brings. */
  #rest (refusal: Refusal & Polled | undefined): void {
    const { wait, hope, poll = Infinity } = refusal ?? { wait: Infinity, hope: true }
    const now = this.#now()
    const sleep = this.#waiting.reduce(
      (least, { until }) => Math.min(least, until - now, poll, hope ? Infinity : wait),
      this.#block ? this.#block.until - now : Infinity)
    if (sleep < Infinity) this.#timer = setTimeout(() => this.#wake(), Math.max(1, Math.ceil(sleep))).unref()
  }

  #wake (): void {
    if (this.#block && this.#now() >= this.#block.until) this.#unblock()
    this.#advance()
  }

  #blockFor (milliseconds: number): void {
    const now = this.#now()
    const until = now + milliseconds
    if (this.#block) {
      this.#block.until = Math.max(this.#block.until, until)
    } else {
      this.#block = { since: now, until }
      this.#tell(true, milliseconds)
    }
  }

  #unblock (): void {
    if (!this.#block) return
    const lasted = this.#now() - this.#block.since
    this.#block = undefined
    this.#blocked += lasted
    this.#tell(false, lasted)
  }
}
