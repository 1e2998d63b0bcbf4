/** What came of a request with a key. A label of the metrics, so the set is closed. */
export const EVENTS = [
  'created', 'refused', 'replayed', 'in-use', 'reused', 'unknown', 'found', 'absent', 'duplicates', 'unavailable'
] as const
export type KeyEvent = typeof EVENTS[number]

/** What is known of a key: nothing; somebody sends it; it may have been created; its reply; it was created twice. */
export type State = 'none' | 'open' | 'unknown' | 'answered' | 'duplicates'

export type Happening =
  // The request comes; the key comes with another request; it would be looked for, but carries no marker.
  | 'asked' | 'asked otherwise' | 'asked unmarked'
  // The attempt succeeded; certainly made nothing; made nothing, but an earlier one may have; nobody knows.
  | 'created' | 'refused' | 'refused again' | 'lost'
  // A look found one; found several; found none, long enough after the last attempt; or too early; could not be made.
  | 'found' | 'several' | 'absent' | 'early' | 'blind'

/**
 * What is done for the caller: `send` it, `look` for it first, give its `reply`, pass on the `error` of the attempt, or
 * a problem. A look that nobody asked for answers nobody.
 */
export type Step = 'send' | 'look' | 'reply' | 'error' | 'in-use' | 'reused' | 'unknown' | 'duplicates' | 'nothing'

interface Row { next: State, step: Step, event?: KeyEvent }

const row = (next: State, step: Step, event?: KeyEvent): Row => ({ next, step, ...event && { event } })

/** The life of a key, drawn in docs/reliability.md. A claim whose lease is over is read as `unknown`. */
export const states = {
  none: {
    asked: row('open', 'send')
  },
  open: {
    asked: row('open', 'in-use', 'in-use'),
    'asked otherwise': row('open', 'reused', 'reused'),
    created: row('answered', 'reply', 'created'),
    refused: row('none', 'error', 'refused'),
    'refused again': row('unknown', 'error', 'refused'),
    lost: row('unknown', 'error', 'unknown'),
    found: row('answered', 'reply', 'found'),
    several: row('duplicates', 'duplicates', 'duplicates'),
    absent: row('open', 'send', 'absent'),
    early: row('unknown', 'unknown'),
    blind: row('unknown', 'unknown')
  },
  unknown: {
    asked: row('open', 'look'),
    'asked otherwise': row('unknown', 'reused', 'reused'),
    'asked unmarked': row('unknown', 'unknown'),
    found: row('answered', 'nothing', 'found'),
    several: row('duplicates', 'nothing', 'duplicates'),
    absent: row('unknown', 'nothing', 'absent'),
    early: row('unknown', 'nothing')
  },
  answered: {
    asked: row('answered', 'reply', 'replayed'),
    'asked otherwise': row('answered', 'reused', 'reused'),
    several: row('duplicates', 'nothing', 'duplicates'),
    absent: row('answered', 'nothing')
  },
  duplicates: {
    asked: row('open', 'look'),
    'asked otherwise': row('duplicates', 'reused', 'reused'),
    'asked unmarked': row('duplicates', 'unknown')
  }
} as const satisfies Record<State, Partial<Record<Happening, Row>>>

/** @throws {TypeError} where that cannot happen in this state: a bug */
export function rowOf (state: State, happening: Happening): Row {
  const row = (states[state] as Partial<Record<Happening, Row>>)[happening]
  if (!row) throw new TypeError(`${happening} cannot happen to a key that is ${state}`)
  return row
}
