import { running, RUNNING_AFTER_MS } from '../machines/model.js'
import { activeMachines } from '../machines/engine.js'
import type { Context, Operation } from '../operation.js'
import { refusal } from '../protocol/errors.js'
import { readString } from '../protocol/json.js'
import { findChangeableGroup, findGroup } from '../elastigroups/engine.js'
import { setTarget, targetOf } from '../elastigroups/fleet.js'
import type { Group } from '../elastigroups/model.js'
import { scalingSubEvents, recordEvent, writeLog } from '../journal/model.js'
import { takesCapacity, deallocate, pause, recycle, resume } from './engine.js'
import type { StatefulInstance, StatefulState } from './model.js'

const PATH = '/aws/ec2/group/{groupId}/statefulInstance'
const ONE = `${PATH}/{statefulInstanceId}`

type Act = (group: Group, stateful: StatefulInstance, now: number) => void

/** The instances of a stateful group, one by one. */
export const statefulInstances: Operation[] = [
  { method: 'GET', path: PATH, kind: 'spotinst:aws:ec2:statefulInstance', handle: list },
  action('pause', ['ACTIVE'], (group, stateful, now) => {
    setTarget(group, targetOf(group) - 1, now)
    recordEvent(group, now, 'ScaleDown', scalingSubEvents([], pause(group, stateful, now)))
  }),
  action('resume', ['PAUSED'], (group, stateful, now) => {
    setTarget(group, targetOf(group) + 1, now)
    recordEvent(group, now, 'ScaleUp', scalingSubEvents([resume(group, stateful, now)], []))
  }),
  action('recycle', ['ACTIVE'], recycle),
  action('deallocate', ['ACTIVE', 'PAUSED'], (group, stateful, now) => {
    if (takesCapacity(stateful)) setTarget(group, targetOf(group) - 1, now)
    deallocate(group, stateful, now)
  }),
  { method: 'DELETE', path: `${ONE}/volume/{volumeId}`, handle: deleteVolume }
]

/** Running and paused ones; what is missing for now, such as the instance of a paused one, is left out. */
function list (context: Context): object[] {
  const { now } = context
  const group = findGroup(context)
  const imageId = readString(group.content, 'compute.launchSpecification.imageId')
  const present = new Set(activeMachines(group))
  return listed(group, now).map(({ id, state, machine, devices, createdAt }) => ({
    id,
    ...machine !== undefined && present.has(machine) && running(machine, now)
      ? {
          instanceId: machine.instanceId,
          privateIp: machine.privateIp,
          launchedAt: new Date(machine.requestedAt + RUNNING_AFTER_MS).toISOString()
        }
      : {},
    imageId,
    state,
    devices,
    createdAt: new Date(createdAt).toISOString()
  }))
}

function listed (group: Group, now: number): StatefulInstance[] {
  return group.statefulInstances.filter(({ state, machine }) =>
    state !== 'ACTIVE' || (machine !== undefined && running(machine, now)))
}

function action (verb: string, from: StatefulState[], act: Act): Operation {
  const handle = (context: Context) => {
    const group = findChangeableGroup(context)
    const stateful = findStateful(group, context)
    if (!from.includes(stateful.state)) {
      const text = `Stateful instance ${stateful.id} is ${stateful.state}: ${verb} needs ${from.join(' or ')}`
      throw refusal('CANT_CHANGE_STATEFUL_INSTANCE', text)
    }
    act(group, stateful, context.now)
    return undefined
  }
  return { method: 'PUT', path: `${ONE}/${verb}`, handle }
}

function deleteVolume (context: Context): undefined {
  const group = findGroup(context)
  const stateful = findStateful(group, context)
  const { volumeId } = context.params
  const left = stateful.devices.filter((device) => device.volumeId !== volumeId)
  if (left.length === stateful.devices.length) throw refusal('VOLUME_DOESNT_EXIST')
  stateful.devices = left
  writeLog(group, context.now, `Volume ${volumeId} of stateful instance ${stateful.id} was deleted`, [stateful.id])
}

function findStateful (group: Group, { params, now }: Context): StatefulInstance {
  const stateful = listed(group, now).find(({ id }) => id === params.statefulInstanceId)
  if (stateful === undefined) throw refusal('STATEFUL_INSTANCE_DOESNT_EXIST')
  return stateful
}
