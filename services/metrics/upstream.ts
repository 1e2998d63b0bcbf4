import { Counter, Histogram, type Registry } from 'prom-client'
import { firstSeen, MOST, OTHER } from './series.js'

const BUCKETS = [0.1, 0.25, 0.5, 1, 2.5, 10, 60]

export interface EndedCall<Outcome> { account: string, kind: 'reads' | 'writes', outcome: Outcome }

/** Calls to Spot, each with one of `outcomes`. */
export function upstreamMetrics<Outcome extends string> (registers: Registry[], outcomes: readonly Outcome[]) {
  const duration = new Histogram({
    name: 'spot_api_upstream_request_duration_seconds',
    help: 'Duration of calls to Spot that read and that write',
    labelNames: ['calls'] satisfies 'calls'[],
    buckets: BUCKETS,
    registers
  })
  const ended = new Counter({
    name: 'spot_api_upstream_requests_total',
    help: 'Calls to Spot by how they ended',
    labelNames: ['calls', 'outcome'] satisfies ('calls' | 'outcome')[],
    registers
  })
  for (const calls of ['reads', 'writes']) {
    duration.zero({ calls })
    for (const outcome of outcomes) ended.inc({ calls, outcome }, 0)
  }
  const ofAccounts = new Counter({
    name: 'spot_api_upstream_account_requests_total',
    help: 'Calls to Spot by account and how they ended',
    labelNames: ['account', 'outcome'] satisfies ('account' | 'outcome')[],
    registers
  })
  const hasOwnSeries = firstSeen(MOST.accountOutcomes)

  return {
    observe ({ account, kind: calls, outcome }: EndedCall<Outcome>, length: number) {
      duration.observe({ calls }, length)
      ended.inc({ calls, outcome })
      ofAccounts.inc({ account: hasOwnSeries(`${account} ${outcome}`) ? account : OTHER, outcome })
    }
  }
}
