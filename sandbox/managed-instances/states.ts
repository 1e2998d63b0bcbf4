import type { Task } from '../agenda.js'
import { RUNNING_AFTER_MS, STOPPING_MS } from '../machines/model.js'
import { launch, managedInstanceSpec, activeMachines } from '../machines/engine.js'
import { refusal } from '../protocol/errors.js'
import { readBoolean } from '../protocol/json.js'
import { schedule } from '../resources/model.js'
import type { ManagedInstance, ManagedInstanceState } from './model.js'

export type Verb = 'pause' | 'resume' | 'recycle'

/** States in which each is allowed. A paused one can be recycled: docs-spot.flexera.com, stateful node actions. */
const FROM: Record<Verb, ManagedInstanceState[]> = {
  pause: ['STEADY'],
  resume: ['PAUSED'],
  recycle: ['STEADY', 'PAUSED']
}

/** @throws SandboxError 400 if the instance is in the wrong state */
export function checkState (instance: ManagedInstance, verb: Verb): void {
  if (FROM[verb].includes(instance.state)) return
  const text = `Managed instance ${instance.id} is ${instance.state === 'STEADY' ? 'ACTIVE' : instance.state}`
  throw refusal('CANT_CHANGE_MANAGED_INSTANCE', `${text} and cannot be ${PARTICIPLES[verb]}`)
}

const PARTICIPLES: Record<Verb, string> = { pause: 'paused', resume: 'resumed', recycle: 'recycled' }

/** Starts a pause, a resume or a recycle, which then proceeds by itself. */
export function changeState (instance: ManagedInstance, verb: Verb, now: number): void {
  if (verb === 'resume') {
    instance.state = 'RESUMING'
    start(instance, now)
    return
  }
  instance.state = verb === 'pause' ? 'PAUSING' : 'RECYCLING'
  schedule(instance, now + STOPPING_MS, 'managedInstanceStopped')
}

/** What is scheduled for managed instances. */
export const managedInstanceTasks: Record<string, Task<ManagedInstance>> = {
  managedInstanceStopped (instance, _ids, at) {
    for (const machine of activeMachines(instance)) machine.endedAt = at
    if (instance.state === 'PAUSING') instance.state = 'PAUSED'
    else start(instance, at)
  },
  managedInstanceRuns (instance) {
    instance.state = 'STEADY'
  }
}

function start (instance: ManagedInstance, now: number): void {
  const keeps = readBoolean(instance.content, 'persistence.persistPrivateIp') === true
  const kept = keeps ? instance.machines.at(-1)?.privateIp : undefined
  launch(instance, managedInstanceSpec(instance.content), now, kept)
  schedule(instance, now + RUNNING_AFTER_MS, 'managedInstanceRuns')
}
