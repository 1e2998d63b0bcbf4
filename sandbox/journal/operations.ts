import { findGroup, KIND } from '../elastigroups/engine.js'
import type { Context, Operation } from '../operation.js'
import { offsetDate, readDate } from '../protocol/dates.js'
import { invalid } from '../protocol/errors.js'
import { readNumber, readString } from '../protocol/json.js'
import { readQuery } from '../protocol/query.js'
import type { Rule } from '../protocol/validation.js'

/** Three months: help.spot.io, Elastilog. */
const LOG_KEPT_MS = 92 * 86_400_000

const LOG_RULES: Rule[] = [
  { path: 'fromDate', type: 'integer', required: true, minimum: 0 },
  { path: 'toDate', type: 'integer', required: true, minimum: 0 },
  { path: 'severity', type: 'string', oneOf: ['ALL', 'INFO', 'DEBUG', 'WARN'] },
  { path: 'resourceId', type: 'string' },
  { path: 'limit', type: 'integer', minimum: 1, maximum: 1000 }
]

/** What happened to a group. */
export const journals: Operation[] = [
  { method: 'GET', path: '/aws/ec2/group/{groupId}/events', kind: `${KIND}:event`, handle: listEvents },
  { method: 'GET', path: '/aws/ec2/group/{groupId}/logs', kind: `${KIND}:log`, handle: listLog }
]

/** Newest first. `fromDate` is a day, a date-time or a Unix time: 12 or more digits are milliseconds. */
function listEvents (context: Context): object[] {
  const group = findGroup(context)
  const { fromDate } = context.query
  if (fromDate === undefined) throw invalid([{ message: '"fromDate" is required', field: 'fromDate' }])
  const from = typeof fromDate === 'string'
    ? readDate(fromDate, fromDate.length < 12 ? 'seconds' : 'milliseconds')
    : undefined
  if (from === undefined) throw invalid([{ message: '"fromDate" must be a valid date', field: 'fromDate' }])
  return group.events
    .filter(({ at }) => at >= from)
    .map(({ eventType, at, subEvents }) => ({ groupId: group.id, eventType, subEvents, createdAt: offsetDate(at) }))
    .reverse()
}

/** Newest first; `resourceId` is the id of an instance, a spot request or a roll. */
function listLog (context: Context): object[] {
  const group = findGroup(context)
  const parameters = readQuery(context.query, LOG_RULES)
  const from = Math.max(readNumber(parameters, 'fromDate') ?? 0, context.now - LOG_KEPT_MS)
  const to = readNumber(parameters, 'toDate') ?? Infinity
  const severity = readString(parameters, 'severity') ?? 'ALL'
  const resourceId = readString(parameters, 'resourceId')
  return group.log
    .filter((entry) => entry.at >= from && entry.at <= to)
    .filter((entry) => severity === 'ALL' || entry.severity === severity)
    .filter((entry) => resourceId === undefined || entry.about.includes(resourceId))
    .reverse()
    .slice(0, readNumber(parameters, 'limit') ?? 500)
    .map((entry) => ({
      message: entry.message,
      severity: entry.severity,
      createdAt: new Date(entry.at).toISOString()
    }))
}
