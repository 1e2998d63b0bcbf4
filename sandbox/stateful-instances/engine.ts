import type { Task } from '../agenda.js'
import { derivedId } from '../ids.js'
import { RUNNING_AFTER_MS, STOPPING_MS } from '../machines/model.js'
import type { Machine } from '../machines/model.js'
import { activeMachines } from '../machines/engine.js'
import type { Change } from '../machines/engine.js'
import { read, readString } from '../protocol/json.js'
import type { JsonObject } from '../protocol/json.js'
import { schedule } from '../resources/model.js'
import { launchMachine, machineTarget, terminate } from '../elastigroups/fleet.js'
import type { Group } from '../elastigroups/model.js'
import { scalingSubEvents, recordEvent, writeLog, replacementSubEvent } from '../journal/model.js'
import type { Device, StatefulInstance, StatefulState } from './model.js'

/** What is scheduled for stateful instances. */
export const statefulInstanceTasks: Record<string, Task<Group>> = {
  statefulInstancePaused: whileIn('PAUSING', (group, stateful, at) => {
    stop(group, stateful, at)
    stateful.state = 'PAUSED'
    writeLog(group, at, `Stateful instance ${stateful.id} is paused`, [stateful.id])
  }),
  statefulInstanceStopped: whileIn('RECYCLING', (group, stateful, at) => {
    const old = stop(group, stateful, at)
    recordEvent(group, at, 'InstanceReplacement', [replacementSubEvent(old, [start(group, stateful, at)])])
  }),
  statefulInstanceDeallocated: whileIn('DEALLOCATING', (group, stateful, at) => {
    const ended = stop(group, stateful, at)
    stateful.state = 'DEALLOCATED'
    stateful.devices = []
    if (ended.length > 0) recordEvent(group, at, 'ScaleDown', scalingSubEvents([], ended))
    writeLog(group, at, `Stateful instance ${stateful.id} was deallocated`, [stateful.id])
  }),
  resumedInstanceRuns: whileIn('RESUMING', activate),
  recycledInstanceRuns: whileIn('RECYCLING', activate)
}

const PERSISTENCE = ['shouldPersistRootDevice', 'shouldPersistBlockDevices', 'shouldPersistPrivateIp']

/** Whether a group persists anything of its instances. */
export function isStateful (group: Group): boolean {
  return PERSISTENCE.some((key) => persists(group.content, key))
}

/**
 * Brings a stateful group to its target: adds stateful instances (or resumes paused ones first), or pauses the newest.
 * Paused ones do not count.
 */
export function reconcileStateful (group: Group, now: number, shouldResume: boolean): Change {
  const held = new Set(group.statefulInstances.map((stateful) => stateful.machine))
  for (const machine of activeMachines(group)) {
    if (!held.has(machine)) addStatefulInstance(group, machine, machine.requestedAt)
  }
  const holding = group.statefulInstances.filter(takesCapacity)
  const target = machineTarget(group)
  const ended = holding.slice(target).flatMap((stateful) => pause(group, stateful, now))
  let missing = target - holding.length
  const launched: Machine[] = []
  for (const stateful of group.statefulInstances) {
    if (!shouldResume || missing <= 0) break
    if (stateful.state !== 'PAUSED') continue
    launched.push(resume(group, stateful, now))
    missing--
  }
  for (; missing > 0; missing--) {
    const machine = launchMachine(group, group.statefulInstances.filter(takesCapacity).length, now)
    addStatefulInstance(group, machine, now)
    launched.push(machine)
  }
  return { launched, ended }
}

/** Stops the machine, which it returns; disks and, if persisted, the address are kept. */
export function pause (group: Group, stateful: StatefulInstance, now: number): Machine[] {
  stateful.state = 'PAUSING'
  writeLog(group, now, `Stateful instance ${stateful.id} is being paused`, [stateful.id])
  schedule(group, now + STOPPING_MS, 'statefulInstancePaused', stateful.id)
  return stateful.machine === undefined ? [] : [stateful.machine]
}

/** Launches a machine for a paused one. */
export function resume (group: Group, stateful: StatefulInstance, now: number): Machine {
  stateful.state = 'RESUMING'
  return start(group, stateful, now)
}

/** Stops the machine and launches another. */
export function recycle (group: Group, stateful: StatefulInstance, now: number): void {
  stateful.state = 'RECYCLING'
  writeLog(group, now, `Stateful instance ${stateful.id} is being recycled`, [stateful.id])
  schedule(group, now + STOPPING_MS, 'statefulInstanceStopped', stateful.id)
}

/** Removes machine, disks and address. */
export function deallocate (group: Group, stateful: StatefulInstance, now: number): void {
  stateful.state = 'DEALLOCATING'
  writeLog(group, now, `Stateful instance ${stateful.id} is being deallocated`, [stateful.id])
  schedule(group, now + STOPPING_MS, 'statefulInstanceDeallocated', stateful.id)
}

/** Whether it counts against the target capacity. */
export function takesCapacity ({ state }: StatefulInstance): boolean {
  return state === 'ACTIVE' || state === 'RESUMING' || state === 'RECYCLING'
}

function start (group: Group, stateful: StatefulInstance, now: number): Machine {
  const slot = group.statefulInstances.filter(takesCapacity).indexOf(stateful)
  const before = stateful.machine
  const privateIp = persists(group.content, 'shouldPersistPrivateIp') ? before?.privateIp : undefined
  const machine = launchMachine(group, Math.max(0, slot), now, privateIp)
  stateful.machine = machine
  const task = stateful.state === 'RECYCLING' ? 'recycledInstanceRuns' : 'resumedInstanceRuns'
  schedule(group, now + RUNNING_AFTER_MS, task, stateful.id)
  return machine
}

function activate (group: Group, stateful: StatefulInstance, at: number): void {
  stateful.state = 'ACTIVE'
  writeLog(group, at, `Stateful instance ${stateful.id} is active`, [stateful.id])
}

/** Skips the task if the state has changed by then. */
function whileIn (
  state: StatefulState, run: (group: Group, stateful: StatefulInstance, at: number) => void
): Task<Group> {
  return (group, [id], at) => {
    const stateful = group.statefulInstances.find((stateful) => stateful.id === id)
    if (stateful?.state === state) run(group, stateful, at)
  }
}

/** Ends the machine, if it is active. It stays known, for its address. */
function stop (group: Group, { machine }: StatefulInstance, now: number): Machine[] {
  if (machine === undefined || machine.endedAt !== undefined) return []
  terminate(group, machine, now)
  return [machine]
}

function addStatefulInstance (group: Group, machine: Machine, now: number): void {
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
