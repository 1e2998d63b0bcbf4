import { derivedId } from '../ids.js'
import { running, RUNNING_AFTER_MS } from '../machines/machine.js'
import type { Machine } from '../machines/machine.js'
import { wanted } from '../machines/machines.js'
import { offsetDate } from '../protocol/dates.js'
import type { JsonObject } from '../protocol/json.js'
import { later } from '../resources/resource.js'
import { isRolling, settle } from './noun.js'
import { enlist, placesOf, release, retire, setTarget } from './fleet.js'
import type { Group } from './group.js'
import { comingsAndGoings, happened, note, replacement } from './journal.js'
import type { Batch, Roll, RollAction, RollOrder, RollStatus } from './roll.js'

/** The first batch begins this long after the order. */
export const STARTING_MS = 10_000

/**
 * Begins to replace the machines that run, in batches of `batchSizePercentage` of them. It goes on by itself: each
 * batch takes as long as instances take to come up, plus the grace period.
 */
export function startRoll (group: Group, order: RollOrder, batchSizePercentage: number, now: number): Roll {
  const machines = wanted(group).map((machine, place) => ({ machine, place }))
    .filter(({ machine }) => running(machine, now))
  const size = Math.max(1, Math.ceil(machines.length * batchSizePercentage / 100))
  const batches: Batch[] = []
  for (let from = 0; from < machines.length; from += size) {
    batches.push({ blue: machines.slice(from, from + size), green: [] })
  }
  const id = derivedId('sbgd', `${group.id}/${group.rolls.length}`)
  const roll: Roll = { id, status: 'starting', createdAt: now, updatedAt: now, order, batches, begun: 0, done: 0 }
  group.rolls.push(roll)
  enter(group, roll, 'starting', now)
  next(group, roll, now + STARTING_MS, (at) => beginBatch(group, roll, at))
  return roll
}

/** Stops what rolls in the group, if anything does. New instances whose predecessors are still there are terminated. */
export function stopRolling (group: Group, now: number): void {
  const roll = group.rolls.at(-1)
  if (roll === undefined || !isRolling(group)) return
  if (roll.begun > roll.done) {
    const { blue, green } = currentBatch(roll)
    for (const [index, { machine }] of blue.entries()) {
      const fresh = green[index]
      if (fresh !== undefined && fresh !== machine && isWanted(machine) && isWanted(fresh)) retire(group, fresh, now)
    }
  }
  enter(group, roll, 'stopped', now)
  settle(group, now)
}

/**
 * Detaches the old or the new instances of the current batch, or of all of them, and returns their ids. Less machines
 * than the target become the target, or are made up for (`shouldDecrementTargetCapacity` false).
 */
export function detachBatch (group: Group, roll: Roll, action: RollAction, now: number): string[] {
  const begun = roll.batches.slice(0, roll.begun)
  const concerned = action.shouldHandleAllBatches
    ? action.actionType === 'DETACH_OLD' ? roll.batches : begun
    : begun.slice(-1)
  const machines = concerned
    .flatMap(({ blue, green }) => action.actionType === 'DETACH_OLD' ? blue.map(({ machine }) => machine) : green)
    .filter(isWanted)
  for (const machine of machines) release(group, machine, now, action.drainingTimeout)
  const ids = machines.map(({ instanceId }) => instanceId)
  const left = wanted(group).length
  if (action.shouldDecrementTargetCapacity && left < placesOf(group)) setTarget(group, left, now)
  const { launched } = left < placesOf(group) ? settle(group, now) : { launched: [] }
  note(group, now, `Roll ${roll.id}: ${action.actionType} of ${ids.length} instances`, [roll.id, ...ids])
  const detached = ids.map((instanceId) => ({ type: 'detachedInstance', instanceId }))
  happened(group, now, 'DetachInstances', [...detached, ...comingsAndGoings(launched, [])])
  return ids
}

/** Percent of the batches that are done. */
export function progressOf (roll: Roll): number {
  return roll.batches.length === 0 ? 0 : Math.round(100 * roll.done / roll.batches.length)
}

function beginBatch (group: Group, roll: Roll, now: number): void {
  const batch = roll.batches[roll.begun]
  if (batch === undefined) return
  roll.begun++
  enter(group, roll, 'in_progress', now)
  batch.blue = batch.blue.filter(({ machine }) => isWanted(machine))
  const restarts = roll.order.action === 'RESTART_SERVER'
  batch.green = batch.blue.map(({ machine, place }) => {
    if (!restarts) return enlist(group, place, now)
    note(group, now, `Instance ${machine.instanceId} is being restarted`, [roll.id, machine.instanceId])
    return machine
  })
  next(group, roll, now + RUNNING_AFTER_MS + roll.order.gracePeriod * 1000, (at) => endBatch(group, roll, at))
}

function endBatch (group: Group, roll: Roll, now: number): void {
  const { blue, green } = currentBatch(roll)
  const healthy = green.filter(({ sound }) => sound).length
  if (100 * healthy < roll.order.batchMinHealthyPercentage * green.length) {
    note(group, now, `Roll ${roll.id}: ${healthy} of ${green.length} new instances are healthy`, [roll.id], 'WARN')
    enter(group, roll, 'failed', now)
    if (roll.order.onFailure !== undefined) detachBatch(group, roll, roll.order.onFailure, now)
    return
  }
  const replaced = blue.map(({ machine }, index) => ({ old: machine, fresh: green[index] ?? machine }))
    .filter(({ old, fresh }) => old !== fresh)
  for (const { old, fresh } of replaced) {
    for (const stateful of group.statefulInstances) if (stateful.machine === old) stateful.machine = fresh
    if (isWanted(old)) retire(group, old, now, roll.order.drainingTimeout)
  }
  if (replaced.length > 0) {
    const parts = replacement(replaced.map(({ old }) => old), replaced.map(({ fresh }) => fresh))
    happened(group, now, 'InstanceReplacement', [parts])
  }
  roll.done++
  roll.updatedAt = now
  if (roll.done === roll.batches.length) enter(group, roll, 'finished', now)
  else beginBatch(group, roll, now)
}

/** Changes the status of a roll, and has event and log tell. */
function enter (group: Group, roll: Roll, status: RollStatus, now: number): void {
  roll.status = status
  roll.updatedAt = now
  happened(group, now, 'Roll', [rollInfo(group, roll)])
  const where = roll.begun === 0 ? '' : `, batch ${roll.begun} of ${roll.batches.length}`
  note(group, now, `Roll ${roll.id}: ${status}${where}`, [group.id, roll.id], status === 'failed' ? 'WARN' : 'INFO')
}

/** Keys: Go SDK, SubEvent of type rollInfo. */
function rollInfo (group: Group, roll: Roll): JsonObject {
  return {
    type: 'rollInfo',
    id: roll.id,
    groupId: group.id,
    status: roll.status,
    currentBatch: roll.begun,
    numOfBatches: roll.batches.length,
    gracePeriod: roll.order.gracePeriod,
    createdAt: offsetDate(roll.createdAt)
  }
}

/** Has the roll go on at `at`, unless it has ended by then. */
function next (group: Group, roll: Roll, at: number, run: (at: number) => void): void {
  later(group, at, (time) => {
    if (roll.status === 'starting' || roll.status === 'in_progress') run(time)
  })
}

function currentBatch (roll: Roll): Batch {
  return roll.batches[roll.begun - 1] ?? { blue: [], green: [] }
}

function isWanted (machine: Machine): boolean {
  return machine.endedAt === undefined
}
