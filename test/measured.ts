import type { Test } from 'tap'
import type { Gateway } from './helper.js'

export const CALLS = 'spot_api_upstream_requests_total'
export const UPSTREAM = 'spot_api_upstream_request_duration_seconds'
/** What stands in a label for all that has no series of its own. */
export const REST = '__other__'

interface Sample { name: string, labels: Record<string, string>, value: number }

const labelForm = /([a-zA-Z_]\w*)="((?:[^"\\\n]|\\["\\n])*)"/g
const sampleForm = new RegExp(`^([a-zA-Z_:][\\w:]*)(?:\\{(${labelForm.source}(?:,${labelForm.source})*)\\})? (\\S+)$`)
// As Go reads numbers, which minds no case.
const numberForm = /^(?:[-+]?(?:\d+(?:\.\d+)?(?:e[-+]?\d+)?|Inf)|NaN)$/i
const numberOf = (text = '') => Number(text.replace('Inf', 'Infinity'))

/**
 * The samples of a text in the Prometheus format, held to its rules: a family is described once, before its samples;
 * no series twice; buckets only grow.
 * https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
 */
function parse (t: Test, text: string): Sample[] {
  const types = new Map<string, string>()
  const series = new Set<string>()
  const samples: Sample[] = []
  if (!text.endsWith('\n')) t.fail('the last line has no end')
  for (const line of text.split('\n').filter(Boolean)) {
    const [, comment, family = '', word = ''] = /^# (HELP|TYPE) ([a-zA-Z_:][\w:]*) (.+)$/.exec(line) ?? []
    if (comment === 'TYPE') {
      if (types.has(family) || !/^(?:counter|gauge|histogram)$/.test(word)) t.fail(line)
      types.set(family, word)
    }
    if (comment) continue
    const found = sampleForm.exec(line)
    const [name = '', text = '', value = ''] = [found?.[1], found?.[2], found?.at(-1)]
    const described = types.has(name) || types.get(name.replace(/_(?:bucket|sum|count)$/, '')) === 'histogram'
    if (!found || !described || !numberForm.test(value) || series.has(name + text)) t.fail(line)
    series.add(name + text)
    const labels = Object.fromEntries([...text.matchAll(labelForm)].map(([, label, word]) => [label, word]))
    const sample = { name, labels, value: numberOf(value) }
    const before = samples.at(-1)
    const nextBucket = before?.name === name && numberOf(before.labels.le) < numberOf(labels.le)
    if (nextBucket && before.value > sample.value) t.fail(line)
    samples.push(sample)
  }
  return samples
}

/** What a gateway has measured, as anybody can read it. */
export async function measured (t: Test, { request }: Gateway) {
  const { headers, text } = await request('GET', '/v1/spot/metrics', { token: null })
  t.equal(headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8')
  const samples = parse(t, text)
  const own = samples.filter(({ name }) => /^(?:http|spot_api)_/.test(name))
  return {
    text,
    samples,
    /** Sum of the series that have these labels; undefined when there is none. */
    value (name: string, wanted: Record<string, string> = {}) {
      const found = own.filter((sample) => sample.name === name &&
        Object.entries(wanted).every(([label, word]) => sample.labels[label] === word))
      return found.length === 0 ? undefined : found.reduce((sum, { value }) => sum + value, 0)
    },
    /** Our series; those of Node come and go. */
    series: own.map(({ name, labels }) => `${name} ${JSON.stringify(labels)}`).sort(),
    /** Different values of a label. */
    words: (label: string, family = '') =>
      [...new Set(own.flatMap(({ name, labels }) => name.startsWith(family) ? labels[label] ?? [] : []))].sort()
  }
}
