import { running, RUNNING_AFTER_MS } from '../machines/model.js'
import { activeMachines } from '../machines/engine.js'
import { readString } from '../protocol/json.js'
import type { ManagedInstance } from './model.js'

/**
 * The row of a managed instance at `now`: `PENDING` (our word: the vendor documents only `ACTIVE`), then `ACTIVE`
 * with instance and addresses, or the state of a pause, resume or recycle. Source: vendor OpenAPI, managed
 * instance status.
 */
export function managedInstanceStatus (instance: ManagedInstance, now: number): object[] {
  const machine = activeMachines(instance).at(-1)
  const up = machine !== undefined && running(machine, now) ? machine : undefined
  return [{
    id: instance.id,
    name: readString(instance.content, 'name') ?? null,
    status: instance.state !== 'STEADY' ? instance.state : up ? 'ACTIVE' : 'PENDING',
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
