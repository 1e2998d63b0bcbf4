// What it costs to measure a request, beside one histogram with three labels. In this process.
import { Histogram, Registry } from 'prom-client'
import { requestMetrics } from '../dist/services/metrics/requests.js'
import { alternate, print, row } from './figures.js'

const REQUESTS = 100_000

export async function measuring () {
  const requests = requestMetrics([new Registry()])
  requests.add({ operationId: 'getElastigroup', kind: 'read' }, { method: 'GET', route: '/' })
  const three = new Histogram({ name: 'x', help: 'x', labelNames: ['method', 'route', 'status_code'], registers: [] })
  const labels = { method: 'GET', route: '/v1/spot/:account/elastigroups/:elastigroup', status_code: 200 }
  const each = (work) => () => {
    const began = performance.now()
    for (let i = 0; i < REQUESTS; i++) work()
    return (performance.now() - began) / REQUESTS * 1000
  }
  const { ours, one } = await alternate({
    ours: each(() => requests.observe('getElastigroup', 200, 0.002)),
    one: each(() => three.observe(labels, 0.002))
  })
  return [row({
    figure: 'measuring a request', unit: 'µs', ours, peer: 'one histogram of three labels', theirs: one, target: '≤ 1.5'
  })]
}

await print(import.meta, measuring)
