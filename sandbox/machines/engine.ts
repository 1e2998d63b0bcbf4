import { createHash } from 'node:crypto'
import { read, readNumber, readString, readStrings } from '../protocol/json.js'
import type { JsonObject } from '../protocol/json.js'
import type { Resource } from '../resources/model.js'
import type { Machine } from './model.js'

/** Most machines simulated for one resource, whatever its target. */
export const MOST_MACHINES = 1_000
/** Instances from an image with this id prefix come up, but fail every health check. */
export const UNHEALTHY_IMAGE = 'ami-00000bad'

/** What one machine shall be. */
export interface MachineSpec {
  spot: boolean
  instanceType: string
  availabilityZone: string
}

/** Machines launched and ended. */
export interface Change {
  launched: Machine[]
  ended: Machine[]
}

/** Machines that were requested and not ended, oldest first. */
export function activeMachines (resource: Resource): Machine[] {
  return resource.machines.filter((machine) => machine.endedAt === undefined)
}

/**
 * Brings the number of active machines to `count`, at most MOST_MACHINES: launches more, or ends the newest.
 * `spec` returns what the machine of a slot (0 is the first) shall be.
 */
export function resize (resource: Resource, count: number, now: number, spec: (slot: number) => MachineSpec): Change {
  const present = activeMachines(resource)
  const target = bounded(count)
  const ended = present.slice(target)
  for (const machine of ended) machine.endedAt = now
  const launched: Machine[] = []
  for (let slot = present.length; slot < target; slot++) launched.push(launch(resource, spec(slot), now))
  return { launched, ended }
}

/** `count`, within what is simulated. */
export function bounded (count: number): number {
  return Math.min(Math.max(0, count), MOST_MACHINES)
}

/**
 * The machine for a slot of a group: on demand for the first `strategy.onDemandCount`, or for the share that
 * `strategy.risk` (percent of spot) leaves; types and zones in turn.
 */
export function groupSpec (content: JsonObject, slot: number): MachineSpec {
  const target = readNumber(content, 'capacity.target') ?? 0
  const risk = readNumber(content, 'strategy.risk') ?? 100
  const onDemand = readNumber(content, 'strategy.onDemandCount') ?? Math.round(target * (100 - risk) / 100)
  const spot = slot >= onDemand
  const types = readStrings(content, 'compute.instanceTypes.spot')
  const onDemandType = readString(content, 'compute.instanceTypes.ondemand') ??
    readStrings(content, 'compute.instanceTypes.onDemandTypes')[0]
  const zones = read(content, 'compute.availabilityZones')
  const names = Array.isArray(zones) ? zones.flatMap((zone) => readString(zone, 'name') ?? []) : []
  return {
    spot,
    instanceType: (spot ? pick(types, slot) : onDemandType) ?? onDemandType ?? types[0] ?? 'm5.large',
    availabilityZone: pick(names, slot) ?? firstZone(content)
  }
}

/** The machine of a managed instance: its preferred type, spot unless `strategy.lifeCycle` says otherwise. */
export function managedInstanceSpec (content: JsonObject): MachineSpec {
  const types = 'compute.launchSpecification.instanceTypes'
  return {
    spot: readString(content, 'strategy.lifeCycle') !== 'on_demand',
    instanceType: readString(content, `${types}.preferredType`) ??
      readStrings(content, `${types}.types`)[0] ?? 'm5.large',
    availabilityZone: firstZone(content)
  }
}

function pick<T> (list: T[], slot: number): T | undefined {
  return list[slot % Math.max(1, list.length)]
}

function firstZone (content: JsonObject): string {
  return `${readString(content, 'region') ?? 'us-east-1'}a`
}

/**
 * Requests one more machine, with `privateIp` if that is kept from an earlier one. The same resource id and serial
 * number always give the same machine.
 */
export function launch (resource: Resource, spec: MachineSpec, now: number, privateIp?: string): Machine {
  const seed = createHash('sha256').update(`${resource.id}/${resource.machines.length}`).digest()
  const hex = seed.toString('hex')
  const octet = (index: number) => seed.readUInt8(index) % 254 + 1
  const imageId = readString(resource.content, 'compute.launchSpecification.imageId')
  const machine: Machine = {
    instanceId: `i-0${hex.slice(0, 16)}`,
    spotInstanceRequestId: spec.spot ? `sir-${BigInt(`0x${hex.slice(16, 32)}`).toString(36).slice(0, 8)}` : null,
    instanceType: spec.instanceType,
    availabilityZone: spec.availabilityZone,
    privateIp: privateIp ?? `172.31.${octet(20)}.${octet(21)}`,
    // 203.0.113.0/24 and 198.51.100.0/24 are reserved for documentation: RFC 5737.
    publicIp: `${octet(22) % 2 === 0 ? '203.0.113' : '198.51.100'}.${octet(23)}`,
    healthy: imageId?.startsWith(UNHEALTHY_IMAGE) !== true,
    requestedAt: now,
    standby: false
  }
  resource.machines.push(machine)
  return machine
}
