import type { Context, Operation } from '../operation.js'
import { offsetDate, readDate } from '../protocol/dates.js'
import { invalid } from '../protocol/errors.js'
import { findGroup, KIND } from './noun.js'

/** What happened to a group. */
export const events: Operation[] = [
  { method: 'GET', path: '/aws/ec2/group/{groupId}/events', kind: `${KIND}:event`, handle: list }
]

/** Newest first. `fromDate` may be a day, a date-time or a Unix time: 12 digits and more are milliseconds. */
function list (context: Context): object[] {
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
