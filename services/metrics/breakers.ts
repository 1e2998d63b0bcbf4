import { Gauge, type Registry } from 'prom-client'
import { collectOnScrape, MOST, OTHER } from './series.js'

interface HeldBack { reads: boolean, writes: boolean }

/** Whether the circuit breakers of each account are open. */
export function breakerMetrics (registers: Registry[]) {
  const breaker = new Gauge({
    name: 'spot_api_upstream_held_back',
    help: '1 while the circuit breaker is open, since most calls to Spot failed; for __other__, how many are open',
    labelNames: ['account', 'calls'] satisfies ('account' | 'calls')[],
    registers
  })
  return (read: () => [account: string, held: HeldBack][]): void => collectOnScrape(breaker, () => {
    breaker.reset()
    for (const [index, [account, held]] of read().entries()) {
      for (const calls of ['reads', 'writes'] as const) {
        if (index < MOST.accounts) breaker.set({ account, calls }, Number(held[calls]))
        else breaker.inc({ account: OTHER, calls }, Number(held[calls])) // how many of the others
      }
    }
  })
}
