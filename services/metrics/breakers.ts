import { Gauge, type Registry } from 'prom-client'
import { collecting, first, MOST, REST } from './series.js'

interface HeldBack { reads: boolean, writes: boolean }

/** Which calls are held back. */
export function breakersOf (registers: Registry[]) {
  const breaker = new Gauge({
    name: 'spot_api_upstream_held_back',
    help: '1 while calls to Spot are held back, because most failed of late',
    labelNames: ['account', 'calls'] satisfies ('account' | 'calls')[],
    registers
  })
  const named = first(MOST.accounts)
  return (read: () => [account: string, held: HeldBack][]): void => collecting(breaker, () => {
    breaker.reset()
    for (const [account, held] of read()) {
      for (const calls of ['reads', 'writes'] as const) {
        if (named(account)) breaker.set({ account, calls }, Number(held[calls]))
        else breaker.inc({ account: REST, calls }, Number(held[calls])) // how many of the rest
      }
    }
  })
}
