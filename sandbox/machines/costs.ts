import { createHash } from 'node:crypto'
import { readDate } from '../protocol/dates.js'
import { invalid } from '../protocol/errors.js'
import { readQuery } from '../protocol/query.js'
import type { Resource } from '../resources/model.js'
import { RUNNING_AFTER_MS } from './model.js'
import type { Machine } from './model.js'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** A time range, milliseconds since the epoch: `from` is included, `to` is not. */
export interface Range {
  from: number
  to: number
}

/** One item of the vendor's cost replies: hours, percent, dollars. */
export interface Costs {
  running: { value: number, unit: 'hours' }
  savings: { value: number, unit: 'percentage' }
  costs: { actual: number, potential: number }
}

/**
 * What the machines of a resource cost within `range`: nothing before they ran, nothing after `now`. Adjacent
 * ranges add up to the range that spans them. Values are rounded to 6 decimals.
 */
export function costsOf (resource: Resource, range: Range, now: number): Costs {
  return sum(resource.machines.map((machine) => usage(machine, range, now)))
}

/** The same for each machine that ran within `range`; the sum is what the resource cost. */
export function costsByMachine (resource: Resource, range: Range, now: number): { machine: Machine, costs: Costs }[] {
  return resource.machines
    .map((machine) => ({ machine, used: usage(machine, range, now) }))
    .filter(({ used }) => used.hours > 0)
    .map(({ machine, used }) => ({ machine, costs: sum([used]) }))
}

interface Usage {
  hours: number
  actual: number
  potential: number
}

function usage (machine: Machine, range: Range, now: number): Usage {
  const from = Math.max(range.from, machine.requestedAt + RUNNING_AFTER_MS)
  const to = Math.min(range.to, now, machine.endedAt ?? Infinity)
  const hours = Math.max(0, to - from) / HOUR_MS
  const price = priceOf(machine.instanceType)
  const actual = hours * (machine.spotInstanceRequestId === null ? price.onDemand : price.spot)
  return { hours, actual, potential: hours * price.onDemand }
}

function sum (usages: Usage[]): Costs {
  const total = (name: keyof Usage) => rounded(usages.reduce((sum, used) => sum + used[name], 0))
  const actual = total('actual')
  const potential = total('potential')
  const savings = potential === 0 ? 0 : rounded(100 * (1 - actual / potential))
  return {
    running: { value: total('hours'), unit: 'hours' },
    savings: { value: savings, unit: 'percentage' },
    costs: { actual, potential }
  }
}

/**
 * The ranges to report: the one of the query, or with `aggregationPeriod=daily` its days (UTC) in the life of the
 * resource until `now`.
 * @throws SandboxError 400 as `readRange`, and for another period
 */
export function readPeriods (
  query: Record<string, unknown>, resource: Resource, now: number, defaults?: Range
): Range[] {
  const { aggregationPeriod } = readQuery(query, [{ path: 'aggregationPeriod', type: 'string', oneOf: ['daily'] }])
  const range = readRange(query, defaults)
  if (aggregationPeriod === undefined) return [range]
  const days: Range[] = []
  const end = Math.min(range.to, now, resource.deletedAt ?? Infinity)
  for (let from = Math.max(range.from, resource.createdAt); from < end;) {
    const to = Math.min(end, (Math.floor(from / DAY_MS) + 1) * DAY_MS)
    days.push({ from, to })
    from = to
  }
  return days
}

/**
 * The range between `fromDate` and `toDate` of the query; `defaults` replaces a missing one.
 * @throws SandboxError 400 for a missing date without `defaults`, an invalid date, or an end before its start
 */
function readRange (query: Record<string, unknown>, defaults?: Range): Range {
  const read = (name: 'fromDate' | 'toDate', fallback: number | undefined) => {
    const text = query[name]
    if (text === undefined && fallback !== undefined) return fallback
    if (text === undefined) return `"${name}" is required`
    return (typeof text === 'string' ? readDate(text, 'seconds') : undefined) ?? `"${name}" must be a valid date`
  }
  const from = read('fromDate', defaults?.from)
  const to = read('toDate', defaults?.to)
  if (typeof from === 'number' && typeof to === 'number') {
    if (from <= to || defaults?.from === from || defaults?.to === to) return { from, to }
    throw invalid([{ message: '"toDate" must be greater than or equal to "ref:fromDate"', field: 'toDate' }])
  }
  throw invalid([{ message: from, field: 'fromDate' }, { message: to, field: 'toDate' }]
    .filter((violation): violation is { message: string, field: string } => typeof violation.message === 'string'))
}

/** Dollars an hour for a `large` of a family, close to AWS prices in us-east-1. */
const LARGE: Record<string, number> = { t: 0.0832, m: 0.096, c: 0.085, r: 0.126, i: 0.156, g: 0.526, p: 3.06 }
/** Price of a size relative to `large`; `4xlarge` and the like cost twice their number. */
const SIZES: Record<string, number> = {
  nano: 1 / 16, micro: 1 / 8, small: 1 / 4, medium: 1 / 2, large: 1, xlarge: 2, metal: 48
}

/** Dollars an hour, the same for a type every time; spot is 60 to 75 percent cheaper. */
function priceOf (instanceType: string): { onDemand: number, spot: number } {
  const [family = '', size = ''] = instanceType.split('.')
  const factor = SIZES[size] ?? 2 * (Number.parseInt(size) || 1)
  const onDemand = (LARGE[family.charAt(0)] ?? 0.1) * factor
  const discount = 0.6 + 0.15 * createHash('sha256').update(instanceType).digest().readUInt8(0) / 255
  return { onDemand, spot: onDemand * (1 - discount) }
}

function rounded (value: number): number {
  return Math.round(value * 1e6) / 1e6
}
