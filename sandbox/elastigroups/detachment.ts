import { running } from '../machines/model.js'
import { activeMachines } from '../machines/engine.js'
import type { Context, Operation } from '../operation.js'
import { readBody } from '../protocol/body.js'
import { invalid, refusal } from '../protocol/errors.js'
import { readBoolean, readNumber, readStrings } from '../protocol/json.js'
import { findChangeableGroup, reconcile } from './engine.js'
import { detach, setTarget, targetOf } from './fleet.js'
import { scalingSubEvents, recordEvent, writeLog } from '../journal/model.js'

/** Taking instances out of a group. */
export const detachment: Operation[] = [
  {
    method: 'PUT',
    path: '/aws/ec2/group/{groupId}/detachInstances',
    kind: 'spotinst:aws:ec2:detachInstances',
    handle: change
  }
]

/** Without `shouldDecrementTargetCapacity` others replace them. A detached stateful instance is forgotten. */
function change (context: Context): undefined {
  const { now } = context
  const group = findChangeableGroup(context)
  const body = readBody(context.body, [
    { path: 'instancesToDetach', type: 'array', required: true, minItems: 1 },
    { path: 'instancesToDetach[]', type: 'string' },
    { path: 'shouldTerminateInstances', type: 'boolean' },
    { path: 'shouldDecrementTargetCapacity', type: 'boolean' },
    { path: 'drainingTimeout', type: 'integer', minimum: 0 }
  ])
  const present = activeMachines(group).filter((machine) => running(machine, now))
  const machines = [...new Set(readStrings(body, 'instancesToDetach'))].map((id) => {
    const machine = present.find(({ instanceId }) => instanceId === id)
    if (machine === undefined) throw refusal('INSTANCE_DOESNT_EXIST', `Instance ${id} isn't in group ${group.id}`)
    return machine
  })
  if (readBoolean(body, 'shouldDecrementTargetCapacity') === true) {
    const target = targetOf(group) - machines.length
    if (target < (readNumber(group.content, 'capacity.minimum') ?? 0)) {
      const message = '"target" must be greater than or equal to "ref:minimum"'
      throw invalid([{ message, field: 'shouldDecrementTargetCapacity' }])
    }
    setTarget(group, target, now)
  }
  const drained = readNumber(body, 'drainingTimeout') ?? 0
  for (const machine of machines) {
    detach(group, machine, now, readBoolean(body, 'shouldTerminateInstances') === true ? drained : undefined)
  }
  const ids = machines.map(({ instanceId }) => instanceId)
  writeLog(group, now, `Instances were detached from group ${group.id}: ${ids.join(', ')}`, [group.id, ...ids])
  const { launched } = reconcile(group, now)
  const detached = ids.map((instanceId) => ({ type: 'detachedInstance', instanceId }))
  recordEvent(group, now, 'DetachInstances', [...detached, ...scalingSubEvents(launched, [])])
}
