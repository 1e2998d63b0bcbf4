import type { State } from './states.js'

/** The reply to a create as it is kept and given again. */
export interface Reply {
  status: 201
  headers: { Location: string }
  body: object
}

/**
 * What is remembered of a key. Durations are milliseconds by the state's clock, up to when the record was written: its
 * age adds what came after. No server's own clock is in it, so theirs may differ.
 */
export interface KeyRecord {
  state: Exclude<State, 'none'>
  fingerprint: string
  /** Identity of the account. */
  account: string
  operation: string
  /** A random word that every attempt of this key carries; none where what it makes has no tags. */
  marker?: string | undefined
  /** A random word of the last claim: whoever drew it knows the record for its own. */
  claim: string
  /** Milliseconds since the first claim. */
  bornFor: number
  /** Milliseconds for which certainly no attempt was under way. */
  quietFor: number
  /** Attempts that may have reached Spot. */
  sent: number
  /** `quietFor` when the last search began; -1: there was none since the last attempt. */
  lookedAfter: number
  /** Of `open`: milliseconds for which an attempt may be under way. */
  lease?: number | undefined
  /** Of `answered`. */
  reply?: Reply | undefined
}

/** Milliseconds for which a key is remembered after its first claim. */
export const KEY_TTL = 24 * 3600_000

/** Milliseconds for which a record is kept at least, once it is written. */
export const MIN_RECORD_TTL = 10 * 60_000

/** The record as of now. After its lease, an open claim means: it may have been sent, outcome unknown. */
export function asOfNow (value: string, age: number): KeyRecord {
  const { lease = 0, ...record }: KeyRecord = JSON.parse(value)
  const now = { ...record, bornFor: record.bornFor + age, quietFor: record.quietFor + age }
  if (record.state !== 'open') return now
  return age < lease ? { ...now, lease: lease - age } : { ...now, state: 'unknown', quietFor: age - lease }
}

/** Paths of what was created, on this server. */
export const pathsOf = (replies: Reply[]) => replies.map(({ headers }) => headers.Location)

/** What was created, whatever its account is called on this server by now: the last segment of its path. */
export const idOf = ({ headers }: Reply) => headers.Location.slice(headers.Location.lastIndexOf('/') + 1)

/**
 * Milliseconds until the next background search; Infinity: none. A key that was sent more than once is searched even
 * when answered: a late create is a duplicate.
 */
export function untilSearch (record: KeyRecord, settle: number): number {
  const { state, marker, sent, lease = 0, lookedAfter, bornFor, quietFor } = record
  if (marker === undefined || state === 'duplicates' || (state === 'answered' && sent === 1)) return Infinity
  if (state === 'open') return lease
  const beforeTheEnd = KEY_TTL - MIN_RECORD_TTL - (bornFor - quietFor)
  const searches = [0, settle, 5 * 60_000, 3600_000, beforeTheEnd].filter((after) => after > lookedAfter)
  return Math.min(...searches) - quietFor
}

/** Whether it may have been created, and a search that is due will find out. */
export const isInDoubt = ({ state, marker, lookedAfter }: KeyRecord, settle: number) =>
  state === 'unknown' && marker !== undefined && lookedAfter < settle
