import { costsOf, readRange } from './costs.js'
import { checkDeleteBody, MANAGED_INSTANCE_DELETE_BODY } from './deallocation.js'
import { refusal } from './errors.js'
import { managedInstanceWish, resize } from './machines.js'
import { MANAGED_INSTANCE_IMMUTABLE, MANAGED_INSTANCE_RULES } from './managed-instance-rules.js'
import type { Context, Operation } from './operation.js'
import { create, flat, update, wrapped } from './resources.js'
import type { Noun } from './resources.js'
import { managedInstanceStatus } from './status.js'
import type { Resource } from './world.js'

/** A managed instance: one machine. */
export const MANAGED_INSTANCE: Noun = {
  envelope: 'managedInstance',
  idPrefix: 'smi',
  rules: MANAGED_INSTANCE_RULES,
  immutable: MANAGED_INSTANCE_IMMUTABLE,
  conflicts: () => [],
  settle: (instance, now) => resize(instance, 1, now, () => managedInstanceWish(instance.content))
}

/**
 * The managed instance that the path names.
 * @throws SandboxError 400 MANAGED_INSTANCE_DOESNT_EXIST
 */
export function findManagedInstance (context: Context): Resource {
  const instance = lookUp(context)
  if (instance === undefined) throw refusal('MANAGED_INSTANCE_DOESNT_EXIST')
  return instance
}

const KIND = 'spotinst:aws:ec2:managedInstance'

/** Operations on managed instances themselves. */
export const managedInstances: Operation[] = [
  {
    method: 'GET',
    path: '/aws/ec2/managedInstance',
    kind: KIND,
    handle: ({ account, listShape }) =>
      [...account.managedInstances.values()].map(listShape === 'wrapped' ? wrapped : flat)
  },
  {
    method: 'POST',
    path: '/aws/ec2/managedInstance',
    kind: KIND,
    handle: ({ account, body, now }) => [flat(create(MANAGED_INSTANCE, account.managedInstances, body, now))]
  },
  {
    method: 'GET',
    path: '/aws/ec2/managedInstance/{MI_ID}',
    kind: KIND,
    handle: (context) => [flat(findManagedInstance(context))]
  },
  {
    method: 'PUT',
    path: '/aws/ec2/managedInstance/{MI_ID}',
    kind: KIND,
    handle: (context) => [flat(update(MANAGED_INSTANCE, findManagedInstance(context), context.body, context.now))]
  },
  { method: 'DELETE', path: '/aws/ec2/managedInstance/{MI_ID}', handle: remove },
  // These two do not report an unknown id: they answer 200 with no items (YaleSpinup/spot-api, comments).
  {
    method: 'GET',
    path: '/aws/ec2/managedInstance/{MI_ID}/status',
    kind: 'spotinst:aws:ec2:managedInstanceStatus',
    handle: (context) => {
      const instance = lookUp(context)
      return instance === undefined ? [] : managedInstanceStatus(instance, context.now)
    }
  },
  {
    method: 'GET',
    path: '/aws/ec2/managedInstance/{MI_ID}/costs',
    kind: `${KIND}:costs`,
    handle: (context) => {
      const instance = lookUp(context)
      const whole = { from: instance?.createdAt ?? -Infinity, to: context.now }
      const range = readRange(context.query, whole)
      return instance === undefined ? [] : [costsOf(instance, range, context.now)]
    }
  }
]

function lookUp ({ account, params }: Context): Resource | undefined {
  return account.managedInstances.get(params.MI_ID ?? '')
}

function remove (context: Context): undefined {
  const instance = findManagedInstance(context)
  checkDeleteBody(context.body, MANAGED_INSTANCE_DELETE_BODY)
  context.account.managedInstances.delete(instance.id)
}
