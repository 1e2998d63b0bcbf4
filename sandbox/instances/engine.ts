import { reconcile } from '../elastigroups/engine.js'
import { terminate } from '../elastigroups/fleet.js'
import type { Group } from '../elastigroups/model.js'
import { recordEvent, replacementSubEvent, writeLog } from '../journal/model.js'
import { running } from '../machines/model.js'
import type { Machine } from '../machines/model.js'
import { refusal } from '../protocol/errors.js'
import { recycle } from '../stateful-instances/engine.js'
import type { Account } from '../world.js'

/** A running instance, and the group that it belongs to. */
export interface GroupInstance {
  group: Group
  machine: Machine
}

/**
 * The instance called `id`: running, or draining.
 * @throws SandboxError 400 INSTANCE_DOESNT_EXIST
 */
export function findInstance (account: Account, id: string, now: number): GroupInstance {
  for (const group of account.groups.values()) {
    const machine = group.machines.find(({ instanceId }) => instanceId === id)
    if (machine !== undefined && running(machine, now) && (machine.endedAt ?? Infinity) > now) return { group, machine }
  }
  throw refusal('INSTANCE_DOESNT_EXIST', `Instance ${id} isn't in a group`)
}

/** Protects an instance from termination until `until`, milliseconds since the epoch (Infinity: until unlocked). */
export function lock ({ group, machine }: GroupInstance, until: number, now: number): void {
  machine.lockedUntil = until
  writeLog(group, now, `Instance ${machine.instanceId} was locked`, [machine.instanceId])
}

/** Removes the protection, if there is one. */
export function unlock ({ group, machine }: GroupInstance, now: number): void {
  delete machine.lockedUntil
  writeLog(group, now, `Instance ${machine.instanceId} was unlocked`, [machine.instanceId])
}

/**
 * Moves an instance to standby or back: in standby its health is not checked, and scaling down spares it.
 * @throws SandboxError 400 if it is there already
 */
export function setStandby ({ group, machine }: GroupInstance, standby: boolean, now: number): void {
  const { instanceId } = machine
  if (machine.standby === standby) {
    throw refusal('CANT_CHANGE_INSTANCE', `Instance ${instanceId} is ${standby ? 'already' : 'not'} in standby`)
  }
  machine.standby = standby
  writeLog(group, now, `Instance ${instanceId} ${standby ? 'entered' : 'left'} standby`, [instanceId])
}

/** Interrupts an instance as AWS does: it is terminated, and its group replaces it. */
export function interrupt ({ group, machine }: GroupInstance, now: number): void {
  writeLog(group, now, `Instance ${machine.instanceId} was interrupted`, [machine.instanceId], 'WARN')
  const stateful = group.statefulInstances.find((instance) => instance.machine === machine)
  if (stateful !== undefined) return recycle(group, stateful, now)
  terminate(group, machine, now)
  const { launched } = reconcile(group, now)
  recordEvent(group, now, 'InstanceReplacement', [replacementSubEvent([machine], launched)])
}

/** Notes the signal of an instance; a draining one that is ready to shut down is terminated at once. */
export function receiveSignal ({ group, machine }: GroupInstance, signal: string, now: number): void {
  writeLog(group, now, `Instance ${machine.instanceId} sent ${signal}`, [machine.instanceId])
  if (signal === 'INSTANCE_READY_TO_SHUTDOWN' && machine.endedAt !== undefined) machine.endedAt = now
}
