import { lifeCycle, running, RUNNING_AFTER_MS } from '../machines/machine.js'
import type { Machine } from '../machines/machine.js'
import { wanted } from '../machines/machines.js'
import type { Context, Operation } from '../operation.js'
import { readString } from '../protocol/json.js'
import { findGroup, KIND } from './noun.js'

/** The first health check is made this long after an instance has come up. */
const FIRST_CHECK_MS = 40_000

/** How the instances of a group are. */
export const health: Operation[] = [
  {
    method: 'GET',
    path: '/aws/ec2/group/{groupId}/instanceHealthiness',
    kind: `${KIND}:instanceHealthiness`,
    handle: healthiness
  }
]

/** One row for each instance that has come up; before that there is nothing to check. */
function healthiness (context: Context): object[] {
  const { now } = context
  const group = findGroup(context)
  const watched = readString(group.content, 'compute.launchSpecification.healthCheckType') === 'HCS'
  return wanted(group).filter((machine) => running(machine, now)).map((machine) => ({
    instanceId: machine.instanceId,
    // The vendor document knows no null here; without a spot request there is no key.
    ...machine.spotInstanceRequestId === null ? {} : { spotRequestId: machine.spotInstanceRequestId },
    groupId: group.id,
    availabilityZone: machine.availabilityZone,
    lifeCycle: lifeCycle(machine),
    healthStatus: statusOf(machine, now, 'INSUFFICIENT_DATA'),
    // What the agent of the vendor's own health check service reports.
    ...watched
      ? { agentHealth: { status: statusOf(machine, now, 'UNKNOWN'), lastChecked: new Date(now).toISOString() } }
      : {}
  }))
}

function statusOf<T> (machine: Machine, now: number, early: T): T | 'HEALTHY' | 'UNHEALTHY' {
  if (now < machine.requestedAt + RUNNING_AFTER_MS + FIRST_CHECK_MS) return early
  return machine.sound ? 'HEALTHY' : 'UNHEALTHY'
}
