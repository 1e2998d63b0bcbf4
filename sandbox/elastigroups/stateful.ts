import { derivedId } from '../ids.js'
import { RUNNING_AFTER_MS, STOPPING_MS } from '../machines/machine.js'
import type { Machine } from '../machines/machine.js'
import { wanted } from '../machines/machines.js'
import type { Change } from '../machines/machines.js'
import { read, readString } from '../protocol/json.js'
import type { JsonObject } from '../protocol/json.js'
import { later } from '../resources/resource.js'
import { enlist, placesOf, retire } from './fleet.js'
import type { Group } from './group.js'
import { comingsAndGoings, happened, note, replacement } from './journal.js'
import type { Device, StatefulInstance, StatefulState } from './stateful-instance.js'

const PERSISTENCE = ['shouldPersistRootDevice', 'shouldPersistBlockDevices', 'shouldPersistPrivateIp']

/** Whether what a group persists makes its instances stateful. */
export function isStateful (group: Group): boolean {
  return PERSISTENCE.some((key) => persists(group.content, key))
}

/**
 * Brings a stateful group to its target: makes new stateful instances (or resumes paused ones first), pauses the newest
 * that are too many. Paused ones do not count.
 */
export function fillStateful (group: Group, now: number, shouldResume: boolean): Change {
  const held = new Set(group.statefulInstances.map((stateful) => stateful.machine))
  for (const machine of wanted(group)) if (!held.has(machine)) found(group, machine, machine.requestedAt)
  const standing = group.statefulInstances.filter(counts)
  const target = placesOf(group)
  const ended = standing.slice(target).flatMap((stateful) => pause(group, stateful, now))
  let missing = target - standing.length
  const launched: Machine[] = []
  for (const stateful of group.statefulInstances) {
    if (!shouldResume || missing <= 0) break
    if (stateful.state !== 'PAUSED') continue
    launched.push(resume(group, stateful, now))
    missing--
  }
  for (; missing > 0; missing--) {
    const machine = enlist(group, group.statefulInstances.filter(counts).length, now)
    found(group, machine, now)
    launched.push(machine)
  }
  return { launched, ended }
}

/** Stops the machine, which it returns; disks and, where it is persisted, the address are kept. */
export function pause (group: Group, stateful: StatefulInstance, now: number): Machine[] {
  stateful.state = 'PAUSING'
  note(group, now, `Stateful instance ${stateful.id} is being paused`, [stateful.id])
  then(group, stateful, now + STOPPING_MS, 'PAUSING', (at) => {
    stop(group, stateful, at)
    stateful.state = 'PAUSED'
    note(group, at, `Stateful instance ${stateful.id} is paused`, [stateful.id])
  })
  return stateful.machine === undefined ? [] : [stateful.machine]
}

/** Gives a paused one a machine again. */
export function resume (group: Group, stateful: StatefulInstance, now: number): Machine {
  stateful.state = 'RESUMING'
  return start(group, stateful, now)
}

/** Pauses and resumes in one go; also one that is paused already. */
export function recycle (group: Group, stateful: StatefulInstance, now: number): void {
  stateful.state = 'RECYCLING'
  note(group, now, `Stateful instance ${stateful.id} is being recycled`, [stateful.id])
  then(group, stateful, now + STOPPING_MS, 'RECYCLING', (at) => {
    const old = stop(group, stateful, at)
    happened(group, at, 'InstanceReplacement', [replacement(old, [start(group, stateful, at)])])
  })
}

/** Takes machine, disks and address away for good. */
export function deallocate (group: Group, stateful: StatefulInstance, now: number): void {
  stateful.state = 'DEALLOCATING'
  note(group, now, `Stateful instance ${stateful.id} is being deallocated`, [stateful.id])
  then(group, stateful, now + STOPPING_MS, 'DEALLOCATING', (at) => {
    const ended = stop(group, stateful, at)
    stateful.state = 'DEALLOCATED'
    stateful.devices = []
    if (ended.length > 0) happened(group, at, 'ScaleDown', comingsAndGoings([], ended))
    note(group, at, `Stateful instance ${stateful.id} was deallocated`, [stateful.id])
  })
}

/** Whether it takes one of the places that the target capacity gives. */
export function counts ({ state }: StatefulInstance): boolean {
  return state === 'ACTIVE' || state === 'RESUMING' || state === 'RECYCLING'
}

function start (group: Group, stateful: StatefulInstance, now: number): Machine {
  const place = group.statefulInstances.filter(counts).indexOf(stateful)
  const before = stateful.machine
  const privateIp = persists(group.content, 'shouldPersistPrivateIp') ? before?.privateIp : undefined
  const machine = enlist(group, Math.max(0, place), now, privateIp)
  stateful.machine = machine
  then(group, stateful, now + RUNNING_AFTER_MS, stateful.state, (at) => {
    stateful.state = 'ACTIVE'
    note(group, at, `Stateful instance ${stateful.id} is active`, [stateful.id])
  })
  return machine
}

/** Has `run` happen when it is still in this state by then. */
function then (
  group: Group, stateful: StatefulInstance, at: number, state: StatefulState, run: (at: number) => void
): void {
  later(group, at, (time) => {
    if (stateful.state === state && group.statefulInstances.includes(stateful)) run(time)
  })
}

/** Ends the machine, if it has one that is still wanted. It stays known, for its address. */
function stop (group: Group, { machine }: StatefulInstance, now: number): Machine[] {
  if (machine === undefined || machine.endedAt !== undefined) return []
  retire(group, machine, now)
  return [machine]
}

function found (group: Group, machine: Machine, now: number): void {
  const id = derivedId('ssi', `${group.id}/${machine.instanceId}`)
  group.statefulInstances.push({ id, state: 'ACTIVE', machine, createdAt: now, devices: devicesOf(group.content, id) })
}

function devicesOf (content: JsonObject, id: string): Device[] {
  const mappings = read(content, 'compute.launchSpecification.blockDeviceMappings')
  const names = (Array.isArray(mappings) ? mappings : []).flatMap((mapping) => readString(mapping, 'deviceName') ?? [])
  return [
    ...persists(content, 'shouldPersistRootDevice') ? ['/dev/xvda'] : [],
    ...persists(content, 'shouldPersistBlockDevices') ? names : []
  ].map((deviceName) => ({
    deviceName,
    volumeId: derivedId('vol', `${id}${deviceName}`, 17),
    snapshotId: derivedId('snap', `${id}${deviceName}`, 17)
  }))
}

function persists (content: JsonObject, key: string): boolean {
  return read(content, `strategy.persistence.${key}`) === true
}
