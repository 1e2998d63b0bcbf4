import { Counter, type Registry } from 'prom-client'
import { collectOnScrape } from './series.js'

/** A counter with one label, of a closed set of words. */
export interface Tally<Word extends string> {
  count (word: Word): void
}

/**
 * Counts are plain numbers: every request counts several times, and prom-client would look up the labels each time.
 * Every label value starts at 0, or Prometheus would not see its first count as an increase.
 */
export function tally<Word extends string> (
  registers: Registry[], name: string, help: string, label: string, words: readonly Word[]
): Tally<Word> {
  const counts = new Map<Word, number>(words.map((word) => [word, 0]))
  const counter = new Counter({ name, help, labelNames: [label], registers })
  collectOnScrape(counter, () => {
    counter.reset()
    for (const [word, count] of counts) counter.inc({ [label]: word }, count)
  })
  return { count: (word) => { counts.set(word, (counts.get(word) ?? 0) + 1) } }
}
