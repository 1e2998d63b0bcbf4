import { managedInstanceWish, resize } from '../machines/machines.js'
import type { Context } from '../operation.js'
import { refusal } from '../protocol/errors.js'
import type { Noun } from '../resources/resources.js'
import type { Account } from '../world.js'
import type { ManagedInstance } from './managed-instance.js'
import { MANAGED_INSTANCE_IMMUTABLE, MANAGED_INSTANCE_RULES } from './rules.js'

/** `response.kind` of managed instances, and the beginning of that of their parts. */
export const KIND = 'spotinst:aws:ec2:managedInstance'

/** A managed instance as the shared operations know it. */
export const MANAGED_INSTANCE: Noun<ManagedInstance> = {
  envelope: 'managedInstance',
  idPrefix: 'smi',
  rules: MANAGED_INSTANCE_RULES,
  immutable: MANAGED_INSTANCE_IMMUTABLE,
  conflicts: () => [],
  shelf: (account) => account.managedInstances,
  raise: (resource) => ({ ...resource, state: 'STEADY' }),
  born: (instance, now) => { resize(instance, 1, now, () => managedInstanceWish(instance.content)) },
  altered: () => {}
}

/** The managed instance called `id`, or undefined. */
export function lookUp (account: Account, id: string | undefined): ManagedInstance | undefined {
  return account.managedInstances.get(id ?? '')
}

/**
 * The managed instance that the path names.
 * @throws SandboxError 400 MANAGED_INSTANCE_DOESNT_EXIST
 */
export function findManagedInstance ({ account, params }: Context): ManagedInstance {
  const instance = lookUp(account, params.MI_ID)
  if (instance === undefined) throw refusal('MANAGED_INSTANCE_DOESNT_EXIST')
  return instance
}
