import type { Clock } from '../../clock.js'

/** Milliseconds without a refusal after which a call that goes ends the block. */
const CALM = 2000

/** Called when calls begin to be refused, and for how long; and when that ends, and how long it was (milliseconds). */
export type OnBlock = (blocked: boolean, milliseconds: number) => void

/** The times in which calls of a route are refused, for log and metrics. It decides nothing. */
export class Block {
  readonly #clock: Clock
  readonly #onBlock: OnBlock
  #since: number | undefined
  #until = 0
  #refusedAt = 0
  #past = 0
  #cancel = () => {}

  constructor (clock: Clock, onBlock: OnBlock) {
    this.#clock = clock
    this.#onBlock = onBlock
  }

  /** Seconds in which calls were refused, all in all. */
  get seconds (): number {
    return (this.#past + (this.#since === undefined ? 0 : this.#clock.now() - this.#since)) / 1000
  }

  /** Calls are refused for so many milliseconds from now. */
  refused (milliseconds: number): void {
    this.#refusedAt = this.#clock.now()
    this.#until = Math.max(this.#until, this.#refusedAt + milliseconds)
    if (this.#since !== undefined) return
    this.#since = this.#refusedAt
    this.#endLater()
    this.#onBlock(true, milliseconds)
  }

  /** A call went. Under constant load calls go now and then while most are refused: that ends no block. */
  went (): void {
    if (this.#since !== undefined && this.#clock.now() - this.#refusedAt > CALM) this.#end()
  }

  close (): void {
    this.#cancel()
  }

  #endLater (): void {
    this.#cancel = this.#clock.after(this.#until - this.#clock.now(), () => {
      if (this.#clock.now() < this.#until) this.#endLater()
      else this.#end()
    })
  }

  #end (): void {
    if (this.#since === undefined) return
    this.#cancel()
    const lasted = this.#clock.now() - this.#since
    this.#since = undefined
    this.#past += lasted
    this.#onBlock(false, lasted)
  }
}
