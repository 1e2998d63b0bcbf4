/** Differs after each change of a record, even if it was removed and created again. */
export type Version = number

export interface StateRecord {
  value: string
  version: Version
  /**
   * Milliseconds since it was written, by the state's own clock: the machine's with the file, or Redis's TIME. The
   * clocks of servers differ by seconds; this one they share.
   */
  age: number
}

/**
 * Small strings that survive a restart. With SQLite a change is on the disk when its promise resolves; with Redis, its
 * settings decide. The state's own clock decides when a record was written and when it expires, never the caller's.
 *
 * `guard` turns failures into `StateError`s, and ends calls within seconds. After a `swap` or `remove` that failed,
 * nobody knows whether it was done: only the answer may be lost.
 */
export interface State {
  /** The record of a key; undefined if there is none or it has expired. */
  get (key: string): Promise<StateRecord | undefined>
  /**
   * Writes a record if nobody has changed it since it was read: atomically, for all processes that share the state.
   *
   * @param key a string of 1 to 1000 bytes, without NUL
   * @param expected the version that was read; undefined: only if there is no record (a claim)
   * @param ttl whole milliseconds until the record expires, 1 or more
   * @returns the new version, or undefined when somebody else was faster
   */
  swap (key: string, expected: Version | undefined, value: string, ttl: number): Promise<Version | undefined>
  /** Removes a record if nobody has changed it since it was read. @returns whether it was removed */
  remove (key: string, expected: Version): Promise<boolean>
  /** All records that have not expired, in no order, one perhaps twice. Slow: for the start and housekeeping. */
  all (): AsyncIterable<[key: string, record: StateRecord]>
  /** Finishes calls under way. Later calls fail. */
  close (): Promise<void>
}
