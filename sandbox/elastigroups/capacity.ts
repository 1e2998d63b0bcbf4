import type { Context, Operation } from '../operation.js'
import { below, readBody } from '../protocol/body.js'
import { invalid } from '../protocol/errors.js'
import { isObject, readNumber } from '../protocol/json.js'
import type { Rule } from '../protocol/validation.js'
import { merge } from '../resources/merge.js'
import { findChangeableGroup, KIND, reconcile } from './engine.js'
import { scalingSubEvents, recordEvent, writeLog } from '../journal/model.js'
import { capacityConflicts } from './rules.js'

const BOUNDS = ['minimum', 'maximum', 'target']
const RULES: Rule[] = [
  { path: 'capacity', type: 'object', required: true },
  ...below('capacity', BOUNDS.map((path): Rule => ({ path, type: 'integer', minimum: 0 })))
]

/** The capacity of a group on its own. */
export const capacity: Operation[] = [
  { method: 'PUT', path: '/aws/ec2/group/{groupId}/capacity', kind: `${KIND}:capacity`, handle: change }
]

/** A missing key keeps its value, as in an update of the group. */
function change (context: Context): object[] {
  const group = findChangeableGroup(context)
  const { capacity: sent } = readBody(context.body, RULES)
  const merged = merge(group.content, { capacity: isObject(sent) ? sent : {} })
  const found = capacityConflicts(merged, 'capacity')
  if (found.length > 0) throw invalid(found)
  group.content = merged
  group.updatedAt = context.now
  writeLog(group, context.now, `The capacity of group ${group.id} was updated`, [group.id])
  const { launched, ended } = reconcile(group, context.now)
  recordEvent(group, context.now, 'Update', scalingSubEvents(launched, ended))
  return [{ capacity: Object.fromEntries(BOUNDS.map((name) => [name, readNumber(merged, `capacity.${name}`)])) }]
}
