import { Problem } from '../problems/index.js'

/**
 * A date (its midnight, UTC) or an ISO 8601 date-time. Spot's operations take a date, a date-time, seconds or
 * milliseconds; each uses what it needs.
 */
export interface Moment {
  /** Milliseconds since the epoch. */
  time: number
  /** `2026-11-23` or `2026-11-23T20:00:00.000Z`, for the cost operations. */
  text: string
}

export interface Range { start: Moment, end: Moment }

/** Days of the default range. */
const DEFAULT_DAYS = 30

const dayOf = (time: number) => new Date(time).toISOString().slice(0, 10)

/**
 * Reads a moment that matches the contract's pattern.
 *
 * @param parameter its name, for the problem
 * @throws {Problem} invalid-request for an impossible date or time, such as 2026-02-30
 */
export function momentOf (text: string, parameter: string): Moment {
  const time = Date.parse(text.replace(/([+-]\d{2})(\d{2})$/, '$1:$2'))
  const day = text.slice(0, 10)
  if (Number.isNaN(time) || dayOf(Date.parse(day)) !== day) {
    throw invalid(parameter, 'format', 'is not a valid date or date-time')
  }
  return { time, text: text === day ? day : new Date(time).toISOString() }
}

/**
 * The range from `start` to `end`: both are given, or neither, which means the last 30 days.
 *
 * @param now milliseconds since the epoch
 * @throws {Problem} invalid-request when one is missing, or `end` is not later than `start`
 */
export function rangeOf ({ start, end }: { start?: string, end?: string }, now = Date.now()): Range {
  if (start === undefined && end === undefined) {
    return { start: defaultStart(now), end: momentOf(dayOf(now + 86_400_000), 'end') }
  }
  if (start === undefined || end === undefined) {
    const parameter = start === undefined ? 'start' : 'end'
    throw invalid(parameter, 'required', 'is required: start and end go together')
  }
  const range = { start: momentOf(start, 'start'), end: momentOf(end, 'end') }
  if (range.end.time <= range.start.time) throw invalid('end', 'later', 'must be later than start')
  return range
}

/** Start of the default range. */
export const defaultStart = (now = Date.now()): Moment => momentOf(dayOf(now - DEFAULT_DAYS * 86_400_000), 'start')

const invalid = (parameter: string, code: string, message: string) =>
  new Problem('invalid-request', { detail: `${parameter} ${message}.`, errors: [{ parameter, code, message }] })
