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
  /** Since the first claim. */
  bornFor: number
  /** For how long it was certain that no attempt was under way. */
  quietFor: number
  /** Attempts that may have reached Spot. */
  sent: number
  /** `quietFor` when the last look began; -1: nobody has looked since the last attempt. */
  lookedAfter: number
  /** Of `open`: for how long an attempt may be under way. */
  lease?: number | undefined
  /** Of `answered`. */
  reply?: Reply | undefined
}

/** How long a key is remembered after its first claim; and a record after it was written, at least. */
export const KEPT = 24 * 3600_000
export const LEAST = 10 * 60_000

/** The record as it would be written now. A claim whose lease is over says no more than that it was sent. */
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
 * Milliseconds until Spot is to be looked through for the marker though nobody asks; Infinity: never again. What came
 * of an attempt may show late, and once it was sent twice, a late one is a duplicate.
 */
export function lookIn ({ state, marker, sent, lease = 0, lookedAfter, ...record }: KeyRecord, settle: number): number {
  if (marker === undefined || state === 'duplicates' || (state === 'answered' && sent === 1)) return Infinity
  if (state === 'open') return lease
  const { bornFor, quietFor } = record
  const beforeTheEnd = KEPT - LEAST - (bornFor - quietFor)
  const looks = [0, settle, 5 * 60_000, 3600_000, beforeTheEnd].filter((look) => look > lookedAfter)
  return Math.min(...looks) - quietFor
}

/** Whether it may have been created, and a look that is due will find out. */
export const isInDoubt = ({ state, marker, lookedAfter }: KeyRecord, settle: number) =>
  state === 'unknown' && marker !== undefined && lookedAfter < settle
