import { SpotError } from './error.js'
import type { Method, Observe, Path, Payload, SpotAccount, Transport } from './transport.js'

/** One upstream operation: its name (for logs and metrics), method, path, and what goes with it. */
type Operation = [operation: string, method: Method, path: Path, payload?: Payload]

/**
 * Spot as one account sees it. The functions differ in what they expect of a 200: `items` a list, `item` at least one,
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

/**
 * @param observe told of every call once it ended
 */
export function spotOf (account: SpotAccount, transport: Transport, observe: Observe): Spot {
  function list<T extends object> (fewest: 0 | 1, [operation, method, path, payload]: Operation): Promise<T[]> {
    const write = method !== 'GET'
    return transport.send(account, { operation, method, path, ...payload }, observe, ({ response }) => {
      const items = Array.isArray(response.items) ? response.items.flat().filter(isItem<T>) : undefined
      if (items && items.length >= fewest) return items
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
      transport.send(account, { operation, method, path, ...payload }, observe, () => undefined)
  }
}
