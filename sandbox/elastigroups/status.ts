import { EVALUATED_AFTER_MS, locked, running } from '../machines/model.js'
import type { Machine } from '../machines/model.js'
import { activeMachines } from '../machines/engine.js'
import { readString } from '../protocol/json.js'
import type { Group } from './model.js'

/**
 * One row for each active machine of a group at `now`. Its status is `pending-evaluation`, then
 * `pending-fulfillment`, then `fulfilled` (spot) or `running` (on demand); until then, instanceId and addresses are
 * null.
 * Source: vendor OpenAPI, group status; the order of the states from the Java SDK and kingpin.
 */
export function groupStatus (group: Group, now: number): object[] {
  return activeMachines(group).map((machine) => {
    const runs = running(machine, now)
    return {
      spotInstanceRequestId: machine.spotInstanceRequestId,
      instanceId: runs ? machine.instanceId : null,
      instanceType: machine.instanceType,
      product: readString(group.content, 'compute.product') ?? 'Linux/UNIX',
      groupId: group.id,
      availabilityZone: machine.availabilityZone,
      privateIp: runs ? machine.privateIp : null,
      publicIp: runs ? machine.publicIp : null,
      ipv6Address: null,
      status: state(machine, now),
      lockStatus: locked(machine, now) ? 'locked' : 'unlocked',
      ...protectedUntil(machine, now),
      createdAt: new Date(machine.requestedAt).toISOString()
    }
  })
}

/** A lock without end has no date. */
function protectedUntil (machine: Machine, now: number): object {
  const { lockedUntil = Infinity } = machine
  return locked(machine, now) && lockedUntil !== Infinity ? { protectedUntil: new Date(lockedUntil).toISOString() } : {}
}

function state (machine: Machine, now: number): string {
  if (now < machine.requestedAt + EVALUATED_AFTER_MS) return 'pending-evaluation'
  if (!running(machine, now)) return 'pending-fulfillment'
  return machine.spotInstanceRequestId === null ? 'running' : 'fulfilled'
}
