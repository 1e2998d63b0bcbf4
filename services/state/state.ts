/** Differs for each state of a record, even for records that come and go under one key. */
export type Version = number

export interface StateRecord {
  value: string
  version: Version
  /**
   * Milliseconds since it was written, by the state's own clock: that of the machine with the file, or Redis's TIME.
   * Clocks of servers differ by seconds, so whoever measures how long ago something was written asks the one clock that
   * all of them share.
   */
  age: number
}

/**
 * Small strings that survive a restart. Every change is durable before its promise resolves. When a record was written
 * and when it expires is decided by the state's own clock, never by the caller's.
 *
 * Every failure is a `StateError`, within seconds. After a `swap` or `remove` that failed nobody knows whether it was
 * done: the answer may be what was lost.
 */
export interface State {
  /** The record under a key, or undefined where there is none or it has expired. */
  get (key: string): Promise<StateRecord | undefined>
  /**
   * Writes a record if nobody changed it meanwhile: atomically, for all processes that share the state.
   *
   * @param key a string of 1 to 1000 bytes, without NUL
   * @param expected the version that was read; undefined: only if there is none (a claim)
   * @param ttl whole milliseconds after which the record is as if it were not there, 1 or more
   * @returns the new version, or undefined when somebody was faster
   */
  swap (key: string, expected: Version | undefined, value: string, ttl: number): Promise<Version | undefined>
  /** Removes a record, if nobody changed it meanwhile. @returns whether that was so */
  remove (key: string, expected: Version): Promise<boolean>
  /** All living records, in no order, one perhaps twice; for the start and housekeeping, not for a hot path. */
  all (): AsyncIterable<[key: string, record: StateRecord]>
  /** Finishes what is under way. Whatever is called later fails. */
  close (): Promise<void>
}
