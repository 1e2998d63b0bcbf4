import { lifeCycle } from '../machines/model.js'
import type { Machine } from '../machines/model.js'
import type { Change } from '../machines/engine.js'
import type { Context, Operation } from '../operation.js'
import { readNumber } from '../protocol/json.js'
import { readQuery } from '../protocol/query.js'
import { merge } from '../resources/merge.js'
import { findChangeableGroup, reconcile } from './engine.js'
import { targetOf } from './fleet.js'
import { scalingSubEvents, recordEvent, writeLog } from '../journal/model.js'

const KIND = 'spotinst:aws:ec2:scale'

/** Scaling by hand. Keys of the items: vendor OpenAPI and Go SDK. */
export const scaling: Operation[] = [
  {
    method: 'PUT',
    path: '/aws/ec2/group/{groupId}/scale/up',
    kind: KIND,
    handle: (context) => {
      const { launched } = scale(context, 'ScaleUp', 1)
      return [{
        newSpotRequests: launched.filter(isSpot).map(({ spotInstanceRequestId, instanceType, availabilityZone }) =>
          ({ spotInstanceRequestId, instanceType, availabilityZone })),
        newInstances: launched.filter((machine) => !isSpot(machine)).map((machine) => ({
          instanceId: machine.instanceId,
          instanceType: machine.instanceType,
          availabilityZone: machine.availabilityZone
        }))
      }]
    }
  },
  {
    method: 'PUT',
    path: '/aws/ec2/group/{groupId}/scale/down',
    kind: KIND,
    handle: (context) => {
      const { ended } = scale(context, 'ScaleDown', -1)
      return [{
        victimSpotRequests: ended.filter(isSpot).map(({ spotInstanceRequestId, instanceId }) =>
          ({ spotInstanceRequestId, instanceId })),
        victimInstances: ended.filter((machine) => !isSpot(machine)).map(({ instanceId }) => ({ instanceId }))
      }]
    }
  }
]

/** Moves the target by `adjustment`, within minimum and maximum (no source says what happens beyond). */
function scale (context: Context, eventType: 'ScaleUp' | 'ScaleDown', direction: 1 | -1): Change {
  const { now } = context
  const group = findChangeableGroup(context)
  const parameters = readQuery(context.query, [{ path: 'adjustment', type: 'integer', minimum: 1 }])
  const before = targetOf(group)
  const wished = before + direction * (readNumber(parameters, 'adjustment') ?? 1)
  const highest = Math.max(before, readNumber(group.content, 'capacity.maximum') ?? Infinity)
  const lowest = Math.min(before, readNumber(group.content, 'capacity.minimum') ?? 0)
  const target = Math.min(Math.max(wished, lowest), highest)
  if (target === before) return { launched: [], ended: [] }
  group.content = merge(group.content, { capacity: { target } })
  group.updatedAt = now
  writeLog(group, now, `The target capacity of group ${group.id} went from ${before} to ${target}`, [group.id])
  const change = reconcile(group, now)
  recordEvent(group, now, eventType, scalingSubEvents(change.launched, change.ended))
  return change
}

function isSpot (machine: Machine): boolean {
  return lifeCycle(machine) === 'SPOT'
}
