import type { Task } from '../agenda.js'
import { derivedId } from '../ids.js'
import { running, RUNNING_AFTER_MS } from '../machines/model.js'
import type { Machine } from '../machines/model.js'
import { activeMachines } from '../machines/engine.js'
import { offsetDate } from '../protocol/dates.js'
import { refusal } from '../protocol/errors.js'
import { readNumber } from '../protocol/json.js'
import type { JsonObject } from '../protocol/json.js'
import { schedule } from '../resources/model.js'
import { isBlockedByRoll, reconcile } from '../elastigroups/engine.js'
import { launchMachine, machineTarget, detach, terminate, setTarget } from '../elastigroups/fleet.js'
import type { Group } from '../elastigroups/model.js'
import { scalingSubEvents, recordEvent, writeLog, replacementSubEvent } from '../journal/model.js'
import type { Batch, Roll, RollAction, RollOptions, RollStatus } from './model.js'

/** What is scheduled for rolls. */
export const rollTasks: Record<string, Task<Group>> = {
  rollBeginsBatch: unlessEnded(beginBatch),
  rollEndsBatch: unlessEnded(endBatch)
}

/** Milliseconds until the first batch begins. */
export const STARTING_MS = 10_000

/** @throws SandboxError 400 while another roll runs, and with fewer running machines than the minimum */
export function checkRollable (group: Group, now: number): void {
  if (isBlockedByRoll(group)) throw refusal('DEPLOYMENT_ALREADY_IN_PROGRESS')
  const up = activeMachines(group).filter((machine) => running(machine, now)).length
  if (up < Math.max(1, readNumber(group.content, 'capacity.minimum') ?? 0)) throw refusal('TOO_FEW_TO_ROLL')
}

/**
 * Starts to replace the running machines, in batches of `batchSizePercentage` of them. The roll proceeds by
 * itself: each batch takes the time instances need to come up, plus the grace period.
 */
export function startRoll (
  group: Group, options: RollOptions, batchSizePercentage: number, now: number, deployment?: JsonObject
): Roll {
  const machines = activeMachines(group).map((machine, slot) => ({ machine, slot }))
    .filter(({ machine }) => running(machine, now))
  const size = Math.max(1, Math.ceil(machines.length * batchSizePercentage / 100))
  const batches: Batch[] = []
  for (let from = 0; from < machines.length; from += size) {
    batches.push({ blue: machines.slice(from, from + size), green: [] })
  }
  const id = derivedId(deployment === undefined ? 'sbgd' : 'cdbg', `${group.id}/${group.rolls.length}`)
  const roll: Roll = {
    id,
    status: 'starting',
    createdAt: now,
    updatedAt: now,
    options,
    ...deployment && { deployment },
    batches,
    begun: 0,
    done: 0
  }
  group.rolls.push(roll)
  setStatus(group, roll, 'starting', now)
  schedule(group, now + STARTING_MS, 'rollBeginsBatch', id)
  return roll
}

/** Stops the roll of a group, if there is one. New instances whose predecessors are still active are terminated. */
export function stopRolling (group: Group, now: number): void {
  const roll = group.rolls.at(-1)
  if (roll === undefined || !isBlockedByRoll(group)) return
  if (roll.begun > roll.done) {
    const { blue, green } = currentBatch(roll)
    for (const [index, { machine }] of blue.entries()) {
      const fresh = green[index]
      if (fresh !== undefined && fresh !== machine && isActive(machine) && isActive(fresh)) terminate(group, fresh, now)
    }
  }
  setStatus(group, roll, 'stopped', now)
  reconcile(group, now)
}

/**
 * Detaches the old or the new instances of the current batch, or of all batches, and returns their ids. The target
 * shrinks to what is left, unless `shouldDecrementTargetCapacity` is false: then others are launched.
 */
export function detachBatch (group: Group, roll: Roll, action: RollAction, now: number): string[] {
  const begun = roll.batches.slice(0, roll.begun)
  const concerned = action.shouldHandleAllBatches
    ? action.actionType === 'DETACH_OLD' ? roll.batches : begun
    : begun.slice(-1)
  const machines = concerned
    .flatMap(({ blue, green }) => action.actionType === 'DETACH_OLD' ? blue.map(({ machine }) => machine) : green)
    .filter(isActive)
  for (const machine of machines) detach(group, machine, now, action.drainingTimeout)
  const ids = machines.map(({ instanceId }) => instanceId)
  const left = activeMachines(group).length
  if (action.shouldDecrementTargetCapacity && left < machineTarget(group)) setTarget(group, left, now)
  const { launched } = left < machineTarget(group) ? reconcile(group, now) : { launched: [] }
  writeLog(group, now, `Roll ${roll.id}: ${action.actionType} of ${ids.length} instances`, [roll.id, ...ids])
  const detached = ids.map((instanceId) => ({ type: 'detachedInstance', instanceId }))
  recordEvent(group, now, 'DetachInstances', [...detached, ...scalingSubEvents(launched, [])])
  return ids
}

/** Percentage of batches done. */
export function progressOf (roll: Roll): number {
  return roll.batches.length === 0 ? 0 : Math.round(100 * roll.done / roll.batches.length)
}

function unlessEnded (run: (group: Group, roll: Roll, at: number) => void): Task<Group> {
  return (group, [id], at) => {
    const roll = group.rolls.find((roll) => roll.id === id)
    if (roll?.status === 'starting' || roll?.status === 'in_progress') run(group, roll, at)
  }
}

function beginBatch (group: Group, roll: Roll, now: number): void {
  const batch = roll.batches[roll.begun]
  if (batch === undefined) return
  roll.begun++
  setStatus(group, roll, 'in_progress', now)
  batch.blue = batch.blue.filter(({ machine }) => isActive(machine))
  const restarts = roll.options.action === 'RESTART_SERVER'
  batch.green = batch.blue.map(({ machine, slot }) => {
    if (!restarts) return launchMachine(group, slot, now)
    writeLog(group, now, `Instance ${machine.instanceId} is being restarted`, [roll.id, machine.instanceId])
    return machine
  })
  schedule(group, now + RUNNING_AFTER_MS + roll.options.gracePeriod * 1000, 'rollEndsBatch', roll.id)
}

function endBatch (group: Group, roll: Roll, now: number): void {
  const { blue, green } = currentBatch(roll)
  const count = green.filter(({ healthy }) => healthy).length
  if (100 * count < roll.options.batchMinHealthyPercentage * green.length) {
    writeLog(group, now, `Roll ${roll.id}: ${count} of ${green.length} new instances are healthy`, [roll.id], 'WARN')
    setStatus(group, roll, 'failed', now)
    if (roll.options.onFailure !== undefined) detachBatch(group, roll, roll.options.onFailure, now)
    return
  }
  const replaced = blue.map(({ machine }, index) => ({ old: machine, fresh: green[index] ?? machine }))
    .filter(({ old, fresh }) => old !== fresh)
  for (const { old, fresh } of replaced) {
    for (const stateful of group.statefulInstances) if (stateful.machine === old) stateful.machine = fresh
    if (isActive(old)) terminate(group, old, now, roll.options.drainingTimeout)
  }
  if (replaced.length > 0) {
    const parts = replacementSubEvent(replaced.map(({ old }) => old), replaced.map(({ fresh }) => fresh))
    recordEvent(group, now, 'InstanceReplacement', [parts])
  }
  roll.done++
  roll.updatedAt = now
  if (roll.done === roll.batches.length) setStatus(group, roll, 'finished', now)
  else beginBatch(group, roll, now)
}

/** Changes the status of a roll, with an event and a log line. */
function setStatus (group: Group, roll: Roll, status: RollStatus, now: number): void {
  roll.status = status
  roll.updatedAt = now
  recordEvent(group, now, 'Roll', [rollInfo(group, roll)])
  const where = roll.begun === 0 ? '' : `, batch ${roll.begun} of ${roll.batches.length}`
  writeLog(group, now, `Roll ${roll.id}: ${status}${where}`, [group.id, roll.id], status === 'failed' ? 'WARN' : 'INFO')
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
    gracePeriod: roll.options.gracePeriod,
    createdAt: offsetDate(roll.createdAt)
  }
}

function currentBatch (roll: Roll): Batch {
  return roll.batches[roll.begun - 1] ?? { blue: [], green: [] }
}

function isActive (machine: Machine): boolean {
  return machine.endedAt === undefined
}
