import { RUNNING_AFTER_MS } from '../machines/machine.js'
import type { Machine } from '../machines/machine.js'
import { bounded, groupWish, launch, wanted } from '../machines/machines.js'
import type { Change } from '../machines/machines.js'
import { readNumber } from '../protocol/json.js'
import { merge } from '../resources/merge.js'
import { later } from '../resources/resource.js'
import type { Group } from './group.js'
import { idsOf, note } from './journal.js'

/** The target capacity of a group. */
export function targetOf (group: Group): number {
  return readNumber(group.content, 'capacity.target') ?? 0
}

/** How many machines a group gets for its target capacity. */
export function placesOf (group: Group): number {
  return bounded(targetOf(group))
}

/** Sets the target capacity, and has minimum and maximum follow where it would leave them. */
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

/** Asks for a machine for the place (0 is the first) in a group, and has the log tell. */
export function enlist (group: Group, place: number, now: number, privateIp?: string): Machine {
  const machine = launch(group, groupWish(group.content, place), now, privateIp)
  const { spotInstanceRequestId, instanceType, availabilityZone, instanceId } = machine
  const what = spotInstanceRequestId === null ? `On-demand instance ${instanceId}` : `Spot ${spotInstanceRequestId}`
  note(group, now, `${what} was requested: ${instanceType} in ${availabilityZone}`, idsOf(machine), 'DEBUG')
  later(group, now + RUNNING_AFTER_MS, (at) => {
    if (machine.endedAt === undefined) note(group, at, `Instance ${instanceId} is running`, idsOf(machine))
  })
  return machine
}

/** Lets a machine go, `drained` seconds from now, and has the log tell. */
export function retire (group: Group, machine: Machine, now: number, drained = 0): void {
  const at = now + drained * 1000
  machine.endedAt = at
  const tell = (time: number) => note(group, time, `Instance ${machine.instanceId} was terminated`, idsOf(machine))
  if (drained === 0) tell(at)
  else later(group, at, tell)
}

/**
 * Detaches a machine, and with it what was stateful about it. It lives on outside the group, or is terminated
 * `drained` seconds from now when that is given.
 */
export function release (group: Group, machine: Machine, now: number, drained: number | undefined): void {
  group.statefulInstances = group.statefulInstances.filter((stateful) => stateful.machine !== machine)
  if (drained === undefined) machine.endedAt = now
  else retire(group, machine, now, drained)
}

/** Brings the number of wanted machines to the target: asks for more, or ends the newest. */
export function fill (group: Group, now: number): Change {
  const present = wanted(group)
  const target = placesOf(group)
  const ended = present.slice(target)
  for (const machine of ended) retire(group, machine, now)
  const launched: Machine[] = []
  for (let place = present.length; place < target; place++) launched.push(enlist(group, place, now))
  return { launched, ended }
}
