import { Problem } from './problems.js'
import type { CostRange } from './spotinst/requests.js'

/** Days that are shown when the caller names none. */
const DEFAULT_DAYS = 30

const day = (time: number) => new Date(time).toISOString().slice(0, 10)

/**
 * The days a cost question is about: both or neither is given; neither means the last 30.
 *
 * @param now milliseconds since the epoch
 * @throws {Problem} invalid-request when one is missing, or `end` is not later than `start`
 */
export function costRange ({ start, end }: { start?: string, end?: string }, now = Date.now()): CostRange {
  if (start === undefined && end === undefined) {
    return { fromDate: day(now - DEFAULT_DAYS * 86_400_000), toDate: day(now) }
  }
  if (start === undefined || end === undefined) {
    const parameter = start === undefined ? 'start' : 'end'
    throw invalid(parameter, 'required', 'is required, because start and end go together')
  }
  if (end <= start) throw invalid('end', 'later', 'must be later than start')
  return { fromDate: start, toDate: end }
}

const invalid = (parameter: string, code: string, message: string) =>
  new Problem('invalid-request', { detail: `${parameter} ${message}.`, errors: [{ parameter, code, message }] })
