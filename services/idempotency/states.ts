/** What is counted of keys. A label of the metrics, so the set is closed. */
export const EVENTS = [
  'created', 'refused', 'replayed', 'in-use', 'reused', 'unknown', 'found', 'absent', 'duplicates', 'unavailable'
] as const
export type KeyEvent = typeof EVENTS[number]

/** What is known of a key: nothing; somebody sends it; it may have been created; its reply; it was created twice. */
export type State = 'none' | 'open' | 'unknown' | 'answered' | 'duplicates'

/** What can happen to a key: the input of the table. */
export type Trigger =
  // The request comes; the key comes with another request; it would be searched for, but carries no marker.
  | 'asked' | 'asked otherwise' | 'asked unmarked'
  // The attempt succeeded; certainly made nothing; made nothing, but an earlier one may have; nobody knows.
  | 'created' | 'refused' | 'refused again' | 'lost'
  // A search found one; several; none, long enough after the last attempt; none, but too early; could not be made.
  | 'found' | 'several' | 'absent' | 'early' | 'blind'

/**
 * What the caller gets: `send` it, `search` for it first, give its `reply`, pass on the `error` of the attempt, or a
 * problem. A background search answers nobody.
 */
export type Action = 'send' | 'search' | 'reply' | 'error' | 'in-use' | 'reused' | 'unknown' | 'duplicates' | 'nothing'

interface Row { next: State, action: Action, event?: KeyEvent }

const row = (next: State, action: Action, event?: KeyEvent): Row => ({ next, action, ...event && { event } })

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
    asked: row('open', 'search'),
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
    asked: row('open', 'search'),
    'asked otherwise': row('duplicates', 'reused', 'reused'),
    'asked unmarked': row('duplicates', 'unknown')
  }
} as const satisfies Record<State, Partial<Record<Trigger, Row>>>

/** @throws {TypeError} where that cannot happen in this state: a bug */
export function rowOf (state: State, trigger: Trigger): Row {
  const row = (states[state] as Partial<Record<Trigger, Row>>)[trigger]
  if (!row) throw new TypeError(`${trigger} cannot happen to a key that is ${state}`)
  return row
}
