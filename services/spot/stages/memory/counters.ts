import { LRUCache } from 'lru-cache'

/** Names that a process remembers words for; one that was forgotten gets a new word, so it is never mistaken. */
const MOST = 100_000

/** One word for each name, in their order. An empty one equals nothing: what it is about is kept out of memory. */
export type Words = readonly string[]

/**
 * What was written, as words that change: who has read a word and finds it unchanged knows that nothing was written
 * since. They are compared for equality alone, so a word that was lost or drawn anew can only make memory unusable.
 */
export interface Counters {
  /** @returns undefined where the words cannot be known: then memory is not to be used */
  read (names: readonly string[]): Words | undefined | Promise<Words | undefined>
  /**
   * Draws new words.
   *
   * @param holdFor milliseconds for which the names are kept out of memory: what was written may still change
   * @returns whether everybody who reads them sees the change
   */
  change (names: readonly string[], holdFor: number): boolean | Promise<boolean>
  /** Milliseconds that a call takes at most; 0: it never fails, since no other server uses them. */
  readonly patience: number
}

/** Counters of one process. */
export function localCounters (now: () => number): Counters {
  const words = new LRUCache<string, { word: string, heldUntil: number }>({ maxSize: MOST, sizeCalculation: () => 1 })
  let drawn = 0

  function draw (name: string, heldUntil: number) {
    const entry = { word: String(++drawn), heldUntil }
    words.set(name, entry)
    return entry
  }

  return {
    patience: 0,
    read: (names) => names.map((name) => {
      const { word, heldUntil } = words.get(name) ?? draw(name, 0)
      return heldUntil > now() ? '' : word
    }),
    change (names, holdFor) {
      for (const name of names) draw(name, Math.max(words.get(name)?.heldUntil ?? 0, holdFor && now() + holdFor))
      return true
    }
  }
}

export const usable = (words: Words | undefined): words is Words => words !== undefined && words.every(Boolean)

export const same = (some: Words, others: Words): boolean =>
  some.length === others.length && some.every((word, index) => word !== '' && word === others[index])
