import { setImmediate as nextTurn } from 'node:timers/promises'

/** Milliseconds that long work runs before everything else this process does gets its turn. */
const SLICE = 10

/** Items of a list that are worked on between two looks at the clock: a millisecond or so, even of large ones. */
const ITEMS = 50

let began = -Infinity
let last: Promise<unknown> = Promise.resolve()

/**
 * To be awaited by long work, often: at once while its slice is not used up, else after the next turn of the event loop
 * that nobody else waits for. However much long work there is, only one slice of it runs a turn.
 */
export function yieldIfLong (): Promise<unknown> | undefined {
  if (performance.now() - began < SLICE) return undefined
  last = last.then(() => nextTurn()).then(() => { began = performance.now() })
  return last
}

/** Applies `work` to a list in slices, so that other requests get a turn in between. A short list is one slice. */
export async function inTurns<T, R> (list: readonly T[], work: (slice: readonly T[]) => R): Promise<R[]> {
  if (list.length <= ITEMS) return [work(list)]
  const results: R[] = []
  for (let from = 0; from < list.length; from += ITEMS) {
    await yieldIfLong()
    results.push(work(list.slice(from, from + ITEMS)))
  }
  return results
}

/** A value as JSON. A list may be long: other requests get their turn while it is written. */
export async function asJson (value: unknown): Promise<string> {
  if (!Array.isArray(value)) return JSON.stringify(value)
  return `[${(await inTurns(value, (slice) => JSON.stringify(slice).slice(1, -1))).join()}]`
}
