import { Gauge, type Registry } from 'prom-client'
import { collectOnScrape } from './series.js'
import { tally } from './tally.js'

/** Metrics of creates with an Idempotency-Key: how they ended, and how many are in doubt. */
export function idempotencyMetrics<Event extends string> (registers: Registry[], events: readonly Event[]) {
  const inDoubt = new Gauge({
    name: 'spot_api_idempotency_keys_in_doubt',
    help: 'Idempotency keys whose create may or may not have happened, as far as this server knows',
    registers
  })
  return {
    ...tally(
      registers, 'spot_api_idempotency_total', 'Creates with an Idempotency-Key by how they ended', 'event', events
    ),
    /** Sets the source of the number of keys in doubt; it is read at each scrape. */
    watchInDoubt: (read: () => number) => collectOnScrape(inDoubt, () => inDoubt.set(read()))
  }
}
