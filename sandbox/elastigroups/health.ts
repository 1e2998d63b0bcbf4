import { lifeCycle, running, RUNNING_AFTER_MS } from '../machines/model.js'
import type { Machine } from '../machines/model.js'
import { activeMachines } from '../machines/engine.js'
import type { Context, Operation } from '../operation.js'
import { readString } from '../protocol/json.js'
import { findGroup, KIND } from './engine.js'

/** Milliseconds between the start of an instance and its first health check. */
const FIRST_CHECK_MS = 40_000

/** Health of a group's instances. */
export const health: Operation[] = [
  {
    method: 'GET',
    path: '/aws/ec2/group/{groupId}/instanceHealthiness',
    kind: `${KIND}:instanceHealthiness`,
    handle: healthiness
  }
]

/** One row for each running instance; before that there is nothing to check. */
function healthiness (context: Context): object[] {
  const { now } = context
  const group = findGroup(context)
  const watched = readString(group.content, 'compute.launchSpecification.healthCheckType') === 'HCS'
  return activeMachines(group).filter((machine) => running(machine, now)).map((machine) => ({
    instanceId: machine.instanceId,
    // Not null in the vendor's document; without a spot request the key is left out.
    ...machine.spotInstanceRequestId === null ? {} : { spotRequestId: machine.spotInstanceRequestId },
    groupId: group.id,
    availabilityZone: machine.availabilityZone,
    lifeCycle: lifeCycle(machine),
    healthStatus: machine.standby ? 'UNKNOWN' : statusOf(machine, now, 'INSUFFICIENT_DATA'),
    // The report of the vendor's own health check agent.
    ...watched
      ? { agentHealth: { status: statusOf(machine, now, 'UNKNOWN'), lastChecked: new Date(now).toISOString() } }
      : {}
  }))
}

function statusOf<T> (machine: Machine, now: number, early: T): T | 'HEALTHY' | 'UNHEALTHY' {
  if (now < machine.requestedAt + RUNNING_AFTER_MS + FIRST_CHECK_MS) return early
  return machine.healthy ? 'HEALTHY' : 'UNHEALTHY'
}
