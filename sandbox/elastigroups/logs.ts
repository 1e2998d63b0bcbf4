import type { Context, Operation } from '../operation.js'
import { readNumber, readString } from '../protocol/json.js'
import { readQuery } from '../protocol/query.js'
import type { Rule } from '../protocol/validation.js'
import { findGroup, KIND } from './noun.js'

/** Three months: help.spot.io, Elastilog. */
const KEPT_MS = 92 * 86_400_000

const RULES: Rule[] = [
  { path: 'fromDate', type: 'integer', required: true, minimum: 0 },
  { path: 'toDate', type: 'integer', required: true, minimum: 0 },
  { path: 'severity', type: 'string', oneOf: ['ALL', 'INFO', 'DEBUG', 'WARN'] },
  { path: 'resourceId', type: 'string' },
  { path: 'limit', type: 'integer', minimum: 1, maximum: 1000 }
]

/** The log of a group. */
export const logs: Operation[] = [
  { method: 'GET', path: '/aws/ec2/group/{groupId}/logs', kind: `${KIND}:log`, handle: list }
]

/** Newest first; `resourceId` is the id of an instance, a spot request, a roll and so on. */
function list (context: Context): object[] {
  const group = findGroup(context)
  const asked = readQuery(context.query, RULES)
  const from = Math.max(readNumber(asked, 'fromDate') ?? 0, context.now - KEPT_MS)
  const to = readNumber(asked, 'toDate') ?? Infinity
  const severity = readString(asked, 'severity') ?? 'ALL'
  const resourceId = readString(asked, 'resourceId')
  return group.log
    .filter((entry) => entry.at >= from && entry.at <= to)
    .filter((entry) => severity === 'ALL' || entry.severity === severity)
    .filter((entry) => resourceId === undefined || entry.about.includes(resourceId))
    .reverse()
    .slice(0, readNumber(asked, 'limit') ?? 500)
    .map((entry) => ({
      message: entry.message,
      severity: entry.severity,
      createdAt: new Date(entry.at).toISOString()
    }))
}
