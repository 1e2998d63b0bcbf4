import { isWrite, type Method, type Path, type Payload } from './call.js'
import { SpotError } from './error.js'
import type { Transport } from './transport.js'

/** One upstream operation: its name (for logs and metrics), method, path, and what goes with it. */
type Operation = [operation: string, method: Method, path: Path, payload?: Payload]

/**
 * Spot as one request sees it. The functions differ in what they expect of a 200: `items` a list, `item` at least one,
 * `done` nothing.
 */
export interface Spot {
  /** @throws {SpotError} when the call does not succeed */
  items<T extends object> (...operation: Operation): Promise<T[]>
  /** @throws {SpotError} when the call does not succeed, or brings no item: `not-found` of a read */
  item<T extends object> (...operation: Operation): Promise<T>
  /** @throws {SpotError} when the call does not succeed */
  done (...operation: Operation): Promise<void>
}

const isItem = <T extends object>(value: unknown): value is T =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** @param deadline when the request must be over, by `performance.now()`, however many calls it makes */
export function spotOf (transport: Transport, deadline: number): Spot {
  function list<T extends object> (fewest: 0 | 1, [operation, method, path, payload]: Operation): Promise<T[]> {
    const call = { operation, method, path, ...payload }
    return transport.send(call, deadline, ({ response }) => {
      const items = Array.isArray(response.items) ? response.items.flat().filter(isItem<T>) : undefined
      if (items && items.length >= fewest) return items
      const write = isWrite(call)
      const outcome = items && !write ? 'not-found' : 'unreadable'
      throw new SpotError({ operation, write, outcome, upstream: { status: 200 } })
    })
  }

  return {
    items: (...operation) => list(0, operation),
    async item<T extends object> (...operation: Operation) {
      const [item] = await list<T>(1, operation)
      return item as T // list() throws where there is none
    },
    done: (operation, method, path, payload) =>
      transport.send({ operation, method, path, ...payload }, deadline, () => undefined)
  }
}
