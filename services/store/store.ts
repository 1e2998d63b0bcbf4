/** Differs for each state of a record, even for records that come and go under one key. */
export type Version = number

export interface Stored { value: string, version: Version }

/**
 * Small texts that survive a restart. Every change is durable before its promise resolves.
 *
 * Whatever fails is a `StoreError`, within seconds. After a `swap` or `remove` that failed nobody knows whether it was
 * done: the answer may have been what was lost.
 */
export interface Store {
  /** The record under a key, or undefined where there is none or it has expired. */
  get (key: string): Promise<Stored | undefined>
  /**
   * Puts a record if nobody changed it meanwhile: atomically, for all processes that share the store.
   *
   * @param key a text of 1 to 1000 bytes
   * @param expected the version that was read; undefined: only if there is none (a claim)
   * @param ttl milliseconds after which the record is as if it were not there, 1 or more
   * @returns the new version, or undefined when somebody was faster
   */
  swap (key: string, expected: Version | undefined, value: string, ttl: number): Promise<Version | undefined>
  /** Forgets a record, if nobody changed it meanwhile. @returns whether that was so */
  remove (key: string, expected: Version): Promise<boolean>
  /** All living records, in no order, one perhaps twice; for the start and housekeeping, not for a hot path. */
  all (): AsyncIterable<[key: string, record: Stored]>
  /** Lets what is under way finish. Whatever is called later fails. */
  close (): Promise<void>
}
