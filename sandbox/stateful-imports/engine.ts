import type { Task } from '../agenda.js'
import { ELASTIGROUP } from '../elastigroups/engine.js'
import { derivedId } from '../ids.js'
import { importedGroup } from '../imports/content.js'
import { RUNNING_AFTER_MS } from '../machines/model.js'
import { BROKEN_INSTANCE, refuseManaged } from '../migrations/engine.js'
import { millisecondsUntil, stepAt } from '../migrations/steps.js'
import type { Step } from '../migrations/steps.js'
import { refusal } from '../protocol/errors.js'
import { add } from '../resources/engine.js'
import type { Account } from '../world.js'
import type { StatefulImport, StatefulImportOptions } from './model.js'

/** The last steps of imports. */
const ENDS = ['MIGRATE_FINISH', 'MIGRATE_ERROR', 'MIGRATE_CANCEL']

/**
 * Starts to turn an EC2 instance into a stateful group.
 * @throws SandboxError 400 if Spot manages the instance already, or an import of it is under way
 */
export function importInstance (account: Account, options: StatefulImportOptions, now: number): StatefulImport {
  const { originalInstanceId: original } = options
  const isUnderway = [...account.statefulImports.values()].some((one) =>
    one.options.originalInstanceId === original && !ENDS.includes(stepOf(one, now).state))
  if (isUnderway) throw refusal('CANT_CREATE_MIGRATION', `Instance ${original} is being imported`)
  refuseManaged(account, original)
  const origin = `${account.id}/stateful/${account.statefulImports.size}`
  const one: StatefulImport = {
    id: derivedId('smg', origin), groupId: derivedId('sig', origin), options, phase: 'copying', startedAt: now
  }
  account.statefulImports.set(one.id, one)
  scheduleEnd(account, one)
  return one
}

/** The step of an import at `now`. */
export function stepOf (one: StatefulImport, now: number): Step {
  return stepAt(stepsOf(one), now - one.startedAt)
}

/** @throws SandboxError 400 unless the import waits for the original to be terminated */
export function terminateOriginal (account: Account, one: StatefulImport, now: number): void {
  const { state } = stepOf(one, now)
  if (state !== 'MIGRATE_AWAIT_USER_ACTION') {
    throw refusal('CANT_CHANGE_MIGRATION', `Import ${one.id} is in ${state} and waits for no action`)
  }
  one.phase = 'moving'
  one.startedAt = now
  scheduleEnd(account, one)
}

/** @throws SandboxError 400 if the import has ended */
export function cancel (one: StatefulImport, now: number): void {
  const { state } = stepOf(one, now)
  if (ENDS.includes(state)) throw refusal('CANT_CHANGE_MIGRATION', `Import ${one.id} has ended with ${state}`)
  one.phase = 'cancelled'
  one.startedAt = now
}

/** What is scheduled for imports. */
export const statefulImportTasks: Record<string, Task<Account>> = {
  statefulImportFinishes (account, [id = ''], at) {
    const one = account.statefulImports.get(id)
    if (one === undefined || stepOf(one, at).state !== 'MIGRATE_FINISH') return
    const { originalInstanceId, shouldKeepPrivateIp, ...options } = one.options
    const { availabilityZones, ...rest } = options
    const persistence = {
      shouldPersistRootDevice: true, shouldPersistBlockDevices: true, shouldPersistPrivateIp: shouldKeepPrivateIp
    }
    const group = add(ELASTIGROUP, account, one.groupId, importedGroup(originalInstanceId, {
      ...rest, ...availabilityZones && { availabilityZones }, strategy: { persistence }
    }), at)
    // It runs already: the steps before launched it.
    for (const machine of group.machines) machine.requestedAt = at - RUNNING_AFTER_MS
  }
}

function scheduleEnd (account: Account, one: StatefulImport): void {
  const duration = millisecondsUntil('MIGRATE_FINISH', stepsOf(one))
  if (duration !== undefined) account.agenda.add(one.startedAt + duration, 'statefulImportFinishes', [one.id])
}

/** The state names are the vendor's. Their sequence and durations are not documented. */
const COPYING: Step[] = [
  { state: 'MIGRATE_START', description: 'The import begins', seconds: 10 },
  { state: 'MIGRATE_PREPARE_AWS_INSTANCE', description: 'The instance is prepared', seconds: 10 },
  { state: 'MIGRATE_CREATE_IMAGE', description: 'An image of the instance is ordered', seconds: 20 },
  { state: 'MIGRATE_AWAIT_FOR_IMAGE', description: 'The image is being made', seconds: 120 }
]
const MOVING: Step[] = [
  { state: 'MIGRATE_TERMINATE_INSTANCE', description: 'The original instance is terminated', seconds: 10 },
  { state: 'MIGRATE_AWAIT_INSTANCE_TERMINATION', description: 'The original instance shuts down', seconds: 30 },
  { state: 'MIGRATE_UPDATE_GROUP', description: 'The group is made', seconds: 5 },
  { state: 'MIGRATE_LAUNCH_INSTANCE', description: 'The new instance is launched', seconds: 10 },
  { state: 'MIGRATE_AWAIT_INSTANCE_RUNNING', description: 'The new instance starts', seconds: 10 },
  { state: 'MIGRATE_FINISH', description: 'The group exists', seconds: Infinity }
]

function stepsOf ({ options, phase }: StatefulImport): Step[] {
  if (phase === 'cancelled') return [last('MIGRATE_CANCEL', 'The import was cancelled')]
  if (phase === 'moving') return MOVING
  if (options.originalInstanceId.startsWith(BROKEN_INSTANCE)) {
    return [...COPYING, last('MIGRATE_ERROR', 'The image could not be made')]
  }
  return options.shouldTerminateInstance
    ? [...COPYING, ...MOVING]
    : [...COPYING, last('MIGRATE_AWAIT_USER_ACTION', 'The original instance has to be terminated')]
}

function last (state: string, description: string): Step {
  return { state, description, seconds: Infinity }
}
