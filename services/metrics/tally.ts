import { Counter, type Registry } from 'prom-client'
import { collecting } from './series.js'

/** A counter with one label, of a closed set of words. */
export interface Tally<Word extends string> {
  count (word: Word): void
}

/**
 * Counting is an addition: every request does it several times, and prom-client would look its labels up each time.
 * Each word is there from the start: the first that is counted would else be no increase.
 */
export function tally<Word extends string> (
  registers: Registry[], name: string, help: string, label: string, words: readonly Word[]
): Tally<Word> {
  const counts = new Map<Word, number>(words.map((word) => [word, 0]))
  const counter = new Counter({ name, help, labelNames: [label], registers })
  collecting(counter, () => {
    counter.reset()
    for (const [word, count] of counts) counter.inc({ [label]: word }, count)
  })
  return { count: (word) => { counts.set(word, (counts.get(word) ?? 0) + 1) } }
}
