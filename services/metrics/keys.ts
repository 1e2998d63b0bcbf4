import { Gauge, type Registry } from 'prom-client'
import { collecting } from './series.js'
import { tally } from './tally.js'

/** What came of creates with an Idempotency-Key, one of `events` each, and of how many that is not known. */
export function keysOf<Event extends string> (registers: Registry[], events: readonly Event[]) {
  const inDoubt = new Gauge({
    name: 'spot_api_idempotency_keys_in_doubt',
    help: 'Keys of which this server knows that they may have created something, until it has looked',
    registers
  })
  return {
    ...tally(registers, 'spot_api_idempotency_total', 'What came of creates with an Idempotency-Key', 'event', events),
    /** Sets the source of the number of keys in doubt; it is read at each scrape. */
    inDoubt: (read: () => number) => collecting(inDoubt, () => inDoubt.set(read()))
  }
}
