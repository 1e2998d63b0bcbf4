import type { Task } from '../agenda.js'
import { locked, RUNNING_AFTER_MS } from '../machines/model.js'
import type { Machine } from '../machines/model.js'
import { bounded, groupSpec, launch, activeMachines } from '../machines/engine.js'
import type { Change } from '../machines/engine.js'
import { readNumber } from '../protocol/json.js'
import { merge } from '../resources/merge.js'
import { machineOf, schedule } from '../resources/model.js'
import type { Group } from './model.js'
import { idsOf, writeLog } from '../journal/model.js'

/** What is scheduled for the machines of groups. */
export const fleetTasks: Record<string, Task<Group>> = {
  instanceRuns (group, [instanceId], at) {
    const machine = machineOf(group, instanceId)
    if (machine !== undefined && machine.endedAt === undefined) {
      writeLog(group, at, `Instance ${instanceId} is running`, idsOf(machine))
    }
  },
  instanceEnds (group, [instanceId], at) {
    const machine = machineOf(group, instanceId)
    if (machine !== undefined) logEnd(group, machine, at)
  }
}

/** The target capacity of a group. */
export function targetOf (group: Group): number {
  return readNumber(group.content, 'capacity.target') ?? 0
}

/** The target capacity of a group, within what is simulated. */
export function machineTarget (group: Group): number {
  return bounded(targetOf(group))
}

/** Sets the target capacity, and moves minimum or maximum if it is outside them. */
export function setTarget (group: Group, target: number, now: number): void {
  const minimum = readNumber(group.content, 'capacity.minimum')
  const maximum = readNumber(group.content, 'capacity.maximum')
  const capacity = {
    target,
    ...minimum !== undefined && minimum > target ? { minimum: target } : {},
    ...maximum !== undefined && maximum < target ? { maximum: target } : {}
  }
  group.content = merge(group.content, { capacity })
  group.updatedAt = now
}

/** Requests a machine for a slot (0 is the first) of a group, with log lines. */
export function launchMachine (group: Group, slot: number, now: number, privateIp?: string): Machine {
  const machine = launch(group, groupSpec(group.content, slot), now, privateIp)
  const { spotInstanceRequestId, instanceType, availabilityZone, instanceId } = machine
  const what = spotInstanceRequestId === null ? `On-demand instance ${instanceId}` : `Spot ${spotInstanceRequestId}`
  writeLog(group, now, `${what} was requested: ${instanceType} in ${availabilityZone}`, idsOf(machine), 'DEBUG')
  schedule(group, now + RUNNING_AFTER_MS, 'instanceRuns', instanceId)
  return machine
}

/** Terminates a machine after `drained` seconds, with a log line. */
export function terminate (group: Group, machine: Machine, now: number, drained = 0): void {
  const at = now + drained * 1000
  machine.endedAt = at
  if (drained === 0) logEnd(group, machine, at)
  else schedule(group, at, 'instanceEnds', machine.instanceId)
}

function logEnd (group: Group, machine: Machine, at: number): void {
  writeLog(group, at, `Instance ${machine.instanceId} was terminated`, idsOf(machine))
}

/**
 * Detaches a machine and forgets its stateful instance. It lives on outside the group, or is terminated
 * after `drained` seconds if that is given.
 */
export function detach (group: Group, machine: Machine, now: number, drained: number | undefined): void {
  group.statefulInstances = group.statefulInstances.filter((stateful) => stateful.machine !== machine)
  if (drained === undefined) machine.endedAt = now
  else terminate(group, machine, now, drained)
}

/** Brings the number of active machines to the target: launches more, or ends the newest not locked or in standby. */
export function scaleToTarget (group: Group, now: number): Change {
  const present = activeMachines(group)
  const target = machineTarget(group)
  const excess = Math.max(0, present.length - target)
  const removable = present.filter((machine) => !machine.standby && !locked(machine, now))
  const ended = removable.slice(Math.max(0, removable.length - excess))
  for (const machine of ended) terminate(group, machine, now)
  const launched: Machine[] = []
  for (let slot = present.length; slot < target; slot++) launched.push(launchMachine(group, slot, now))
  return { launched, ended }
}
