import { costsOf, readPeriods } from '../machines/costs.js'
import type { Context, Operation } from '../operation.js'
import { readQuery } from '../protocol/query.js'
import { checkDeleteBody, MANAGED_INSTANCE_DELETE_BODY } from '../resources/deallocation.js'
import { create, flat, remove, update, wrapped } from '../resources/engine.js'
import { findManagedInstance, KIND, lookUp, MANAGED_INSTANCE } from './engine.js'
import { managedInstanceStatus } from './status.js'

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
    handle: ({ account, body, now }) => [flat(create(MANAGED_INSTANCE, account, body, now))]
  },
  {
    method: 'GET',
    path: '/aws/ec2/managedInstance/{MI_ID}',
    kind: KIND,
    handle: (context) => [flat(findManagedInstance(context))]
  },
  { method: 'PUT', path: '/aws/ec2/managedInstance/{MI_ID}', kind: KIND, handle: change },
  { method: 'DELETE', path: '/aws/ec2/managedInstance/{MI_ID}', handle: discard },
  // These two do not report an unknown id: they answer 200 with no items (YaleSpinup/spot-api, comments).
  {
    method: 'GET',
    path: '/aws/ec2/managedInstance/{MI_ID}/status',
    kind: 'spotinst:aws:ec2:managedInstanceStatus',
    handle: (context) => {
      const instance = lookUp(context.account, context.params.MI_ID)
      return instance === undefined ? [] : managedInstanceStatus(instance, context.now)
    }
  },
  {
    method: 'GET',
    path: '/aws/ec2/managedInstance/{MI_ID}/costs',
    kind: `${KIND}:costs`,
    handle: ({ account, params, query, now }) => {
      const instance = lookUp(account, params.MI_ID)
      if (instance === undefined) return []
      const life = { from: instance.createdAt, to: now }
      return readPeriods(query, instance, now, life).map((range) => costsOf(instance, range, now))
    }
  }
]

function change (context: Context): object[] {
  const { body, now, query } = context
  const instance = findManagedInstance(context)
  // The sandbox has nothing to show for it, so it is only checked.
  readQuery(query, [{ path: 'autoApplyTags', type: 'boolean' }])
  return [flat(update(MANAGED_INSTANCE, instance, body, now))]
}

function discard (context: Context): undefined {
  const instance = findManagedInstance(context)
  checkDeleteBody(context.body, MANAGED_INSTANCE_DELETE_BODY)
  remove(MANAGED_INSTANCE, context.account, instance, context.now)
}
