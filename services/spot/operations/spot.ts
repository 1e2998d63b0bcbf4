import type { Method, Path, Payload } from '../call.js'

/** Reads what an update would change, for a dry run. */
export type Present = (spot: Spot) => Promise<object>

/** One upstream operation: its name (for logs and metrics), method, path, and what goes with it. */
export type OperationArguments =
  [operation: string, method: Method, path: Path, payload?: Payload, present?: Present]

/**
 * Spot as one request sees it. The functions differ in what they expect of a 200: `items` a list, `item` at least one,
 * `done` nothing. What comes may be shared with other requests: it is not to be changed.
 */
export interface Spot {
  /** @throws {SpotError} when the call does not succeed */
  items<T extends object> (...args: OperationArguments): Promise<T[]>
  /** @throws {SpotError} when the call does not succeed, or brings no item: `not-found` of a read */
  item<T extends object> (...args: OperationArguments): Promise<T>
  /** What a create made. @throws {SpotError} when the call does not succeed, or brings no item with this property */
  created<T extends object> (id: keyof T & string, ...args: OperationArguments): Promise<T>
  /** @throws {SpotError} when the call does not succeed */
  done (...args: OperationArguments): Promise<void>
}
