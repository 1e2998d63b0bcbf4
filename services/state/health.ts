import type { StateError } from './error.js'

/** Called with the reason when the state goes down, and with undefined when it is back; once per change. */
export type OnChange = (failure: StateError | undefined) => void

/** What fails. A full disk can still be read, so successful reads say nothing about writes. */
export type Trouble = 'connection' | 'read' | 'write'

/**
 * Whether the state can be used. It is down from the first failure until what failed succeeds again: with a full disk,
 * reads succeed and writes fail all day, and the log must not report a change each time.
 */
export class Health {
  readonly #onChange: OnChange
  /** What fails, and when it last did, in ticks. */
  readonly #troubles = new Map<Trouble, number>()
  #ticks = 0
  #failure: StateError | undefined

  constructor (onChange: OnChange) {
    this.#onChange = onChange
  }

  /** Why it is down; undefined while it is up, as it is at first. */
  get failure (): StateError | undefined {
    return this.#failure
  }

  /** Call it before an attempt, and pass the result to `succeeded`. */
  now (): number {
    return ++this.#ticks
  }

  failed (trouble: Trouble, failure: StateError): void {
    this.#troubles.set(trouble, this.now())
    if (this.#failure) return
    this.#failure = failure
    this.#onChange(failure)
  }

  /**
   * @param begun when the attempt began: a success does not clear a failure that came after it began
   */
  succeeded (troubles: readonly Trouble[], begun: number): void {
    for (const trouble of troubles) {
      if ((this.#troubles.get(trouble) ?? Infinity) < begun) this.#troubles.delete(trouble)
    }
    if (!this.#failure || this.#troubles.size > 0) return
    this.#failure = undefined
    this.#onChange(undefined)
  }
}
