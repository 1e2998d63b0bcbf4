import { createHash } from 'node:crypto'
import { read, readNumber, readString, readStrings } from '../protocol/json.js'
import type { JsonObject } from '../protocol/json.js'
import type { Resource } from '../resources/resource.js'
import type { Machine } from './machine.js'

/** More machines than this are not simulated for one resource, whatever its target says. */
export const MOST_MACHINES = 1_000
/** Instances from an image whose id begins like this come up, and fail every health check. */
export const UNSOUND_IMAGE = 'ami-00000bad'

/** What a resource wants of one machine. */
export interface Wish {
  spot: boolean
  instanceType: string
  availabilityZone: string
}

/** Who came and who went. */
export interface Change {
  launched: Machine[]
  ended: Machine[]
}

/** The machines that are wanted at present, oldest first. */
export function wanted (resource: Resource): Machine[] {
  return resource.machines.filter((machine) => machine.endedAt === undefined)
}

/**
 * Brings the number of wanted machines to `count`, at most MOST_MACHINES: asks for more, or ends the newest.
 * `wish` says what the machine that will be at this place (0 is the first) shall be.
 */
export function resize (resource: Resource, count: number, now: number, wish: (place: number) => Wish): Change {
  const present = wanted(resource)
  const target = bounded(count)
  const ended = present.slice(target)
  for (const machine of ended) machine.endedAt = now
  const launched: Machine[] = []
  for (let place = present.length; place < target; place++) launched.push(launch(resource, wish(place), now))
  return { launched, ended }
}

/** How many machines a target of `count` gets here. */
export function bounded (count: number): number {
  return Math.min(Math.max(0, count), MOST_MACHINES)
}

/**
 * What a group wants: on demand for the first `strategy.onDemandCount`, else for the share that `strategy.risk`
 * (percent of spot) leaves; types and zones in turn.
 */
export function groupWish (content: JsonObject, place: number): Wish {
  const target = readNumber(content, 'capacity.target') ?? 0
  const risk = readNumber(content, 'strategy.risk') ?? 100
  const onDemand = readNumber(content, 'strategy.onDemandCount') ?? Math.round(target * (100 - risk) / 100)
  const spot = place >= onDemand
  const types = readStrings(content, 'compute.instanceTypes.spot')
  const onDemandType = readString(content, 'compute.instanceTypes.ondemand') ??
    readStrings(content, 'compute.instanceTypes.onDemandTypes')[0]
  const zones = read(content, 'compute.availabilityZones')
  const names = Array.isArray(zones) ? zones.flatMap((zone) => readString(zone, 'name') ?? []) : []
  return {
    spot,
    instanceType: (spot ? turn(types, place) : onDemandType) ?? onDemandType ?? types[0] ?? 'm5.large',
    availabilityZone: turn(names, place) ?? firstZone(content)
  }
}

/** What a managed instance wants: its preferred type, spot unless `strategy.lifeCycle` says otherwise. */
export function managedInstanceWish (content: JsonObject): Wish {
  const types = 'compute.launchSpecification.instanceTypes'
  return {
    spot: readString(content, 'strategy.lifeCycle') !== 'on_demand',
    instanceType: readString(content, `${types}.preferredType`) ??
      readStrings(content, `${types}.types`)[0] ?? 'm5.large',
    availabilityZone: firstZone(content)
  }
}

function turn<T> (list: T[], place: number): T | undefined {
  return list[place % Math.max(1, list.length)]
}

function firstZone (content: JsonObject): string {
  return `${readString(content, 'region') ?? 'us-east-1'}a`
}

/**
 * Asks for one machine more, with `privateIp` when that is kept from another one. The same resource id and serial
 * number always give the same machine.
 */
export function launch (resource: Resource, wish: Wish, now: number, privateIp?: string): Machine {
  const seed = createHash('sha256').update(`${resource.id}/${resource.machines.length}`).digest()
  const hex = seed.toString('hex')
  const octet = (index: number) => seed.readUInt8(index) % 254 + 1
  const imageId = readString(resource.content, 'compute.launchSpecification.imageId')
  const machine: Machine = {
    instanceId: `i-0${hex.slice(0, 16)}`,
    spotInstanceRequestId: wish.spot ? `sir-${BigInt(`0x${hex.slice(16, 32)}`).toString(36).slice(0, 8)}` : null,
    instanceType: wish.instanceType,
    availabilityZone: wish.availabilityZone,
    privateIp: privateIp ?? `172.31.${octet(20)}.${octet(21)}`,
    // 203.0.113.0/24 and 198.51.100.0/24 are for documentation: RFC 5737.
    publicIp: `${octet(22) % 2 === 0 ? '203.0.113' : '198.51.100'}.${octet(23)}`,
    sound: imageId?.startsWith(UNSOUND_IMAGE) !== true,
    requestedAt: now
  }
  resource.machines.push(machine)
  return machine
}
