import { Counter, type Registry } from 'prom-client'
import type { Kind, OperationRow } from '../../openapi/operations.js'
import { problems } from '../problems/index.js'
import { durations } from './durations.js'
import { collectOnScrape, OTHER } from './series.js'

/** An operation; without an id, all requests that match none. */
type Counted = Pick<OperationRow, 'kind'> & { operationId: string | undefined }

/** What is counted of one operation. */
interface OperationCounts {
  labels: { method: string, route: string }
  kind: Kind
  seconds: number
  requests: { '2xx': number, '4xx': number, '5xx': number }
}

const BUCKETS = [0.005, 0.025, 0.1, 0.5, 2.5, 10, 60]

/** Requests: how many of each operation ended how, how long they took, and with which errors. */
export function requestMetrics (registers: Registry[]) {
  const counts = new Map<string | undefined, OperationCounts>()
  const add = ({ operationId, kind }: Counted, labels: OperationCounts['labels']) =>
    counts.set(operationId, { labels, kind, seconds: 0, requests: { '2xx': 0, '4xx': 0, '5xx': 0 } })
  add({ operationId: undefined, kind: 'public' }, { method: OTHER, route: OTHER })

  const duration = durations<Kind>(registers, {
    name: 'http_request_duration_seconds',
    help: 'Duration of requests that read, that write, and that need no token',
    label: 'kind',
    words: ['read', 'write', 'public'],
    buckets: BUCKETS
  })
  const errors = new Counter({
    name: 'http_error_responses_total',
    help: 'Requests that ended with an error, by status',
    labelNames: ['status_code'] satisfies 'status_code'[],
    registers
  })
  const statuses = new Set<number>(Object.values(problems).map(({ status }) => status).sort())
  for (const status of [...statuses, OTHER]) errors.inc({ status_code: status }, 0)

  const requests = new Counter({
    name: 'http_requests_total',
    help: 'Requests by operation and class of their status; 3xx counts as 2xx',
    labelNames: ['method', 'route', 'status_class'],
    registers
  })
  const seconds = new Counter({
    name: 'http_request_seconds_total',
    help: 'Total duration of all requests of an operation',
    labelNames: ['method', 'route'],
    registers
  })
  collectOnScrape(requests, () => {
    requests.reset()
    for (const { labels, requests: classes } of counts.values()) {
      for (const [name, count] of Object.entries(classes)) requests.inc({ ...labels, status_class: name }, count)
    }
  })
  collectOnScrape(seconds, () => {
    seconds.reset()
    for (const tally of counts.values()) seconds.inc(tally.labels, tally.seconds)
  })

  return {
    add,
    /** Runs for every request, so it adds to plain numbers; only errors look up a label. */
    observe (operationId: string | undefined, status: number, length: number) {
      const tally = (counts.get(operationId) ?? counts.get(undefined)) as OperationCounts
      tally.requests[status < 400 ? '2xx' : status < 500 ? '4xx' : '5xx']++
      tally.seconds += length
      duration.observe(tally.kind, length)
      if (status >= 400) errors.inc({ status_code: statuses.has(status) ? status : OTHER })
    }
  }
}
