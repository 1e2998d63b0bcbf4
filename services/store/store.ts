/** A value of a key at one point in its history. */
export type Version = string

export interface Stored { value: string, version: Version }

/**
 * Small texts that survive the process: a change is durable before its promise resolves, and whoever shares the store
 * sees it. Every function throws a {@link StoreError} when the store can not be used.
 */
export interface Store {
  /** What stands under a key, unless there is nothing or its time is over. */
  get (key: string): Promise<Stored | undefined>
  /**
   * Puts a value, if nobody changed it meanwhile.
   *
   * @param expected the version that was read; undefined when there must be none: a claim
   * @param ttl milliseconds until its time is over
   * @returns the new version, or undefined when somebody was faster
   */
  swap (key: string, expected: Version | undefined, value: string, ttl: number): Promise<Version | undefined>
  /** Forgets a key, if nobody changed it meanwhile. @returns whether it did */
  remove (key: string, expected: Version): Promise<boolean>
  /** All there is, in no order. Not for a hot path. */
  all (): AsyncIterable<[key: string, stored: Stored]>
  close (): Promise<void>
}

/** The store can not be used. Its message says what to do, and has no secret in it. */
export class StoreError extends Error {
  override name = 'StoreError'
}
