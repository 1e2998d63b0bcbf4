import type { StateError } from './error.js'

/** Called with the reason when the state goes down, and with undefined when it is back; once per change. */
export type OnChange = (failure: StateError | undefined) => void

/** What fails. A full disk still reads, so reads that succeed say nothing about writes. */
export type Trouble = 'connection' | 'read' | 'write'

/**
 * Whether the state can be used. It is down from the first failure, and up once what failed has succeeded again: a
 * server with a full disk reads well and fails to write all day, and its log must not change its mind each time.
 */
export class Health {
  readonly #onChange: OnChange
  /** What fails, and when that was last seen, in ticks. */
  readonly #troubles = new Map<Trouble, number>()
  #ticks = 0
  #failure: StateError | undefined

  constructor (onChange: OnChange) {
    this.#onChange = onChange
  }

  /** Why it is down; undefined while it is up, as it is taken to be at first. */
  get failure (): StateError | undefined {
    return this.#failure
  }

  /** To be taken before an attempt, and handed to `succeeded`. */
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
   * @param begun when the attempt began: an answer that was on its way when another call failed clears nothing
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
