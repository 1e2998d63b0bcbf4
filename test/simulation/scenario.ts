import fc from 'fast-check'
import type { Fault } from './spot.js'

/** A request of a caller. Moments are milliseconds since the world began. */
export interface Ask {
  at: number
  server: number
  kind: 'create' | 'list' | 'get' | 'update' | 'delete'
  /** Key of a create; undefined: none. */
  key: number | undefined
  /** Which of the first groups. A create that names `COPIED` copies a group that was made with a key. */
  group: number
  fresh: boolean
  client: number
}

/** Index of the group that creates copy. */
export const COPIED = 1

/** What goes wrong around the servers. */
export interface Trouble {
  at: number
  server: number
  kind: 'kill' | 'partition' | 'outage'
  /** Milliseconds until it is over. */
  lasts: number
}

/** Everything that decides a history. The seed decides all that is random while it is played. */
export interface Scenario {
  seed: number
  servers: number
  /** Milliseconds between the servers' clocks, and how differently they run (a part of one). */
  clockOffset: number
  drift: number
  limit: number
  rounding: 'up' | 'down'
  /** Whether creates may be carried out later than `settle`. */
  later: boolean
  freshFor: number
  staleFor: number
  /** How often something happens to a call to Spot, and what. */
  faultRate: number
  faults: Fault[]
  /** How often a call to the state fails: half never arrive, half lose their answer; and its delay (milliseconds). */
  lost: number
  delay: number
  /** Whether the servers restart a day later, and the same keys come with other requests. */
  nextDay: boolean
  asks: Ask[]
  troubles: Trouble[]
}

const MINUTE = 60_000

const faults: Fault[] = [
  'slow', 'slow-answer', 'unsent', 'lost-request', 'lost-answer', 'failed-undone', 'failed-done', 'failed-later',
  'hang-undone', 'hang-done', 'hang-later', 'refused', 'html-408-later'
]

const minute = fc.constantFrom(0, MINUTE, 2 * MINUTE)

/** Most requests come together: what one does may then disturb another. */
const moment = fc.oneof(
  fc.integer({ min: 0, max: 3 * MINUTE }),
  fc.tuple(minute, fc.integer({ min: 0, max: 1500 })).map(([base, more]) => base + more),
  fc.tuple(minute, fc.integer({ min: 0, max: 20_000 })).map(([base, more]) => base + more)
)

const ask: fc.Arbitrary<Ask> = fc.record({
  at: moment,
  server: fc.integer({ min: 0, max: 2 }),
  kind: fc.constantFrom(
    'create', 'create', 'create', 'create', 'list', 'get', 'get', 'get', 'update', 'update', 'delete'
  ),
  key: fc.option(fc.integer({ min: 0, max: 1 }), { nil: undefined, freq: 6 }),
  group: fc.integer({ min: 0, max: 1 }),
  fresh: fc.boolean(),
  client: fc.integer({ min: 0, max: 1 })
})

/** Reads around writes of one group. */
const readOrWrite: fc.Arbitrary<Ask> = fc.record({
  at: fc.integer({ min: 0, max: MINUTE / 2 }),
  server: fc.integer({ min: 0, max: 2 }),
  kind: fc.constantFrom('list', 'get', 'get', 'update'),
  key: fc.constant(undefined),
  group: fc.constant(0),
  fresh: fc.constant(false),
  client: fc.integer({ min: 0, max: 1 })
})

/** One key, over and over. */
const oneKey: fc.Arbitrary<Ask> = fc.record({
  at: fc.integer({ min: 0, max: 3 * MINUTE }),
  server: fc.integer({ min: 0, max: 2 }),
  kind: fc.constant('create'),
  key: fc.constant(0),
  group: fc.integer({ min: 0, max: 1 }),
  fresh: fc.constant(false),
  client: fc.constant(0)
})

/** More at once than Spot may take, and others about when its window ends. */
const burst: fc.Arbitrary<Ask> = fc.record({
  at: fc.oneof(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 59_000, max: 61_500 })),
  server: fc.integer({ min: 0, max: 2 }),
  kind: fc.constant('get'),
  key: fc.constant(undefined),
  group: fc.integer({ min: 0, max: 1 }),
  fresh: fc.constant(true),
  client: fc.integer({ min: 0, max: 1 })
})

const trouble: fc.Arbitrary<Trouble> = fc.record({
  at: moment,
  server: fc.integer({ min: 0, max: 2 }),
  kind: fc.constantFrom('kill', 'partition', 'outage'),
  lasts: fc.integer({ min: 100, max: MINUTE })
})

/** Short histories: most faults need few requests, so many short histories find more than one long one. */
export const scenarios: fc.Arbitrary<Scenario> = fc.record({
  seed: fc.nat(),
  servers: fc.integer({ min: 1, max: 3 }),
  clockOffset: fc.constantFrom(0, 70_000, 3_600_000),
  drift: fc.constantFrom(0, 0, 0.03),
  limit: fc.constantFrom(3, 10, 40, Infinity),
  rounding: fc.constantFrom('up', 'down'),
  later: fc.boolean(),
  freshFor: fc.constantFrom(0, 1000, 30_000),
  staleFor: fc.constantFrom(0, 60_000),
  faultRate: fc.constantFrom(0, 0.2, 0.6),
  faults: fc.oneof(
    { weight: 5, arbitrary: fc.subarray(faults, { minLength: 1 }) },
    // Slow reads, which a write can overtake.
    { weight: 1, arbitrary: fc.constant<Fault[]>(['slow-answer']) }
  ),
  lost: fc.constantFrom(0, 0, 0.1),
  delay: fc.constantFrom(0, 10, 400),
  nextDay: fc.boolean(),
  asks: fc.oneof(
    { weight: 4, arbitrary: fc.array(ask, { minLength: 1, maxLength: 14 }) },
    { weight: 1, arbitrary: fc.array(oneKey, { minLength: 3, maxLength: 8 }) },
    { weight: 1, arbitrary: fc.array(burst, { minLength: 6, maxLength: 20 }) },
    { weight: 2, arbitrary: fc.array(readOrWrite, { minLength: 3, maxLength: 14 }) }
  ),
  troubles: fc.array(trouble, { maxLength: 3 })
})
