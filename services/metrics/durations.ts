import { Histogram, type Registry } from 'prom-client'

/** A histogram with one label, of a closed set of words. */
export interface Durations<Word extends string> {
  /** @param seconds what one of them took */
  observe (word: Word, seconds: number): void
}

interface DurationsOptions<Word extends string> {
  name: string
  help: string
  label: string
  words: readonly Word[]
  /** Upper bounds in seconds, ascending. */
  buckets: number[]
}

/** Counts in plain numbers, as `tally` does: prom-client looks up the labels for each request. */
export function durations<Word extends string> (
  registers: Registry[],
  { name, help, label, words, buckets }: DurationsOptions<Word>
): Durations<Word> {
  const measured = new Map(words.map((word) => [word, { counts: buckets.map(() => 0), count: 0, sum: 0 }]))
  const histogram = new Histogram({ name, help, labelNames: [label], buckets, registers })

  /** Buckets count all that is not longer: https://prometheus.io/docs/concepts/metric_types/#histogram */
  const values = () => [...measured].flatMap(([word, { counts, count, sum }]) => {
    const labels = { [label]: word }
    let below = 0
    return [
      ...counts.map((each, index) => {
        below += each
        return { metricName: `${name}_bucket`, labels: { le: buckets[index], ...labels }, value: below }
      }),
      { metricName: `${name}_bucket`, labels: { le: '+Inf', ...labels }, value: count },
      { metricName: `${name}_sum`, labels, value: sum },
      { metricName: `${name}_count`, labels, value: count }
    ]
  })
  const get = async () => ({ name, help, type: 'histogram', aggregator: 'sum', values: values() })
  Object.assign(histogram, { get, getForPromString: get })

  return {
    observe (word, seconds) {
      const of = measured.get(word)
      if (!of) return
      of.count++
      of.sum += seconds
      let at = 0
      while (at < buckets.length && seconds > (buckets[at] as number)) at++
      if (at < buckets.length) (of.counts[at] as number)++
    }
  }
}
