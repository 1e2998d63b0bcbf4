import { SpotError } from './error.js'
import type { Call, Observe, SpotAccount, Transport } from './transport.js'

/**
 * Spot as one account sees it. The functions differ in what they expect of a 200:
 * `items` a list, `item` at least one, `done` nothing.
 */
export interface Spot {
  /** @throws {SpotError} when the call does not succeed */
  items<T extends object> (call: Call): Promise<T[]>
  /** @throws {SpotError} when the call does not succeed, or brings no item: `not-found` of a read */
  item<T extends object> (call: Call): Promise<T>
  /** @throws {SpotError} when the call does not succeed */
  done (call: Call): Promise<void>
}

const isItem = <T extends object>(value: unknown): value is T =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * @param observe told of every call once it ended
 */
export function spotOf (account: SpotAccount, transport: Transport, observe: Observe): Spot {
  async function list<T extends object> (call: Call, fewest: 0 | 1): Promise<T[]> {
    const write = call.method !== 'GET'
    return transport.send(account, call, observe, ({ response }) => {
      const items = Array.isArray(response.items) ? response.items.flat().filter(isItem<T>) : undefined
      if (items && items.length >= fewest) return items
      throw new SpotError({
        operation: call.operation, write, outcome: items && !write ? 'not-found' : 'unreadable', upstream: { status: 200 }
      })
    })
  }

  return {
    items: (call) => list(call, 0),
    async item<T extends object> (call: Call) {
      const [item] = await list<T>(call, 1)
      return item as T // list() throws where there is none
    },
    done: (call) => transport.send(account, call, observe, () => undefined)
  }
}
