import { Counter, Histogram, type Registry } from 'prom-client'
import type { Kind, OperationRow } from '../../openapi/operations.js'
import { problems } from '../problems/index.js'
import { collecting, REST } from './series.js'

/** An operation, or what is none. */
type Counted = Pick<OperationRow, 'kind'> & { operationId: string | undefined }

/** What is counted of one operation. */
interface Tally {
  labels: { method: string, route: string }
  kind: { kind: Kind }
  seconds: number
  requests: { '2xx': number, '4xx': number, '5xx': number }
}

const BUCKETS = [0.005, 0.025, 0.1, 0.5, 2.5, 10, 60]

/** Requests: how many of each operation ended how, how long they took, and with which errors. */
export function requestsOf (registers: Registry[]) {
  const tallies = new Map<string | undefined, Tally>()
  const add = ({ operationId, kind }: Counted, labels: Tally['labels']) =>
    tallies.set(operationId, { labels, kind: { kind }, seconds: 0, requests: { '2xx': 0, '4xx': 0, '5xx': 0 } })
  add({ operationId: undefined, kind: 'public' }, { method: REST, route: REST })

  const duration = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Length of requests that read, that write, and that need no token',
    labelNames: ['kind'] satisfies 'kind'[],
    buckets: BUCKETS,
    registers
  })
  for (const kind of ['read', 'write', 'public']) duration.zero({ kind })
  const errors = new Counter({
    name: 'http_error_responses_total',
    help: 'Requests that ended with an error, by status',
    labelNames: ['status_code'] satisfies 'status_code'[],
    registers
  })
  const statuses = new Set<number>(Object.values(problems).map(({ status }) => status).sort())
  for (const status of [...statuses, REST]) errors.inc({ status_code: status }, 0)

  const requests = new Counter({
    name: 'http_requests_total',
    help: 'Requests by operation and class of their status; 3xx counts as 2xx',
    labelNames: ['method', 'route', 'status_class'],
    registers
  })
  const seconds = new Counter({
    name: 'http_request_seconds_total',
    help: 'Length of all requests of an operation together',
    labelNames: ['method', 'route'],
    registers
  })
  collecting(requests, () => {
    requests.reset()
    for (const { labels, requests: classes } of tallies.values()) {
      for (const [name, count] of Object.entries(classes)) requests.inc({ ...labels, status_class: name }, count)
    }
  })
  collecting(seconds, () => {
    seconds.reset()
    for (const tally of tallies.values()) seconds.inc(tally.labels, tally.seconds)
  })

  return {
    add,
    /** Cheap, since every request passes it: one label is looked up, all else are plain numbers until they are read. */
    observe (operationId: string | undefined, status: number, length: number) {
      const tally = (tallies.get(operationId) ?? tallies.get(undefined)) as Tally
      tally.requests[status < 400 ? '2xx' : status < 500 ? '4xx' : '5xx']++
      tally.seconds += length
      duration.observe(tally.kind, length)
      if (status >= 400) errors.inc({ status_code: statuses.has(status) ? status : REST })
    }
  }
}
