import { managedInstanceSpec, resize } from '../machines/engine.js'
import type { Context } from '../operation.js'
import { refusal } from '../protocol/errors.js'
import type { Noun } from '../resources/engine.js'
import type { Account } from '../world.js'
import type { ManagedInstance } from './model.js'
import { MANAGED_INSTANCE_IMMUTABLE, managedInstanceRules } from './rules.js'

/** `response.kind` of managed instances, and prefix of the kinds of their parts. */
export const KIND = 'spotinst:aws:ec2:managedInstance'

/** A managed instance as the shared operations know it. */
export const MANAGED_INSTANCE: Noun<ManagedInstance> = {
  envelope: 'managedInstance',
  idPrefix: 'smi',
  rules: managedInstanceRules,
  immutable: MANAGED_INSTANCE_IMMUTABLE,
  conflicts: () => [],
  storage: (account) => account.managedInstances,
  extend: (resource) => ({ ...resource, state: 'STEADY' }),
  afterCreate: (instance, now) => { resize(instance, 1, now, () => managedInstanceSpec(instance.content)) },
  afterUpdate: () => {}
}

/** The managed instance called `id`, or undefined. */
export function lookUp (account: Account, id: string | undefined): ManagedInstance | undefined {
  return account.managedInstances.get(id ?? '')
}

/**
 * The managed instance in the path.
 * @throws SandboxError 400 MANAGED_INSTANCE_DOESNT_EXIST
 */
export function findManagedInstance ({ account, params }: Context): ManagedInstance {
  const instance = lookUp(account, params.MI_ID)
  if (instance === undefined) throw refusal('MANAGED_INSTANCE_DOESNT_EXIST')
  return instance
}
