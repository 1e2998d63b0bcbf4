import { readString } from './json.js'
import { EVALUATED_AFTER_MS, RUNNING_AFTER_MS, wanted } from './machines.js'
import type { Machine, Resource } from './world.js'

/**
 * One row per wanted machine of a group, as they stand at `now`. A row goes `pending-evaluation`, then
 * `pending-fulfillment`, then `fulfilled` (spot) or `running` (on demand). Before that, instanceId and addresses are
 * null.
 * Source: vendor OpenAPI, group status; the order of the states from the Java SDK and kingpin.
 */
export function groupStatus (group: Resource, now: number): object[] {
  return wanted(group).map((machine) => {
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
      lockStatus: 'unlocked',
      createdAt: new Date(machine.requestedAt).toISOString()
    }
  })
}

/**
 * The one row of a managed instance at `now`: `PENDING` (our word, the vendor documents only `ACTIVE`), then `ACTIVE`
 * with instance and addresses. Source: vendor OpenAPI, managed instance status.
 */
export function managedInstanceStatus (instance: Resource, now: number): object[] {
  const machine = wanted(instance).at(-1)
  const up = machine !== undefined && running(machine, now) ? machine : undefined
  return [{
    id: instance.id,
    name: readString(instance.content, 'name') ?? null,
    status: up ? 'ACTIVE' : 'PENDING',
    instanceId: up?.instanceId ?? null,
    instanceType: machine?.instanceType ?? null,
    imageId: readString(instance.content, 'compute.launchSpecification.imageId') ?? null,
    privateIp: up ? readString(instance.content, 'compute.privateIp') ?? up.privateIp : null,
    publicIp: up?.publicIp ?? null,
    ipv6Address: null,
    createdAt: new Date(instance.createdAt).toISOString(),
    launchedAt: up ? new Date(up.requestedAt + RUNNING_AFTER_MS).toISOString() : null
  }]
}

function running (machine: Machine, now: number): boolean {
  return now >= machine.requestedAt + RUNNING_AFTER_MS
}

function state (machine: Machine, now: number): string {
  if (now < machine.requestedAt + EVALUATED_AFTER_MS) return 'pending-evaluation'
  if (!running(machine, now)) return 'pending-fulfillment'
  return machine.spotInstanceRequestId === null ? 'running' : 'fulfilled'
}
