import { costsByMachine, costsOf, readPeriods } from '../machines/costs.js'
import type { Context, Operation } from '../operation.js'
import { readBoolean } from '../protocol/json.js'
import { readQuery } from '../protocol/query.js'
import { checkDeleteBody, GROUP_DELETE_BODY } from '../resources/deallocation.js'
import { create, flat, remove, update } from '../resources/engine.js'
import { ELASTIGROUP, findChangeableGroup, findGroup, KIND } from './engine.js'
import { filterGroups } from './filters.js'
import { stopRolling } from '../rolls/engine.js'
import { groupStatus } from './status.js'

/** Operations on Elastigroups themselves. */
export const elastigroups: Operation[] = [
  {
    method: 'GET',
    path: '/aws/ec2/group',
    kind: KIND,
    handle: ({ account, query }) => filterGroups(account, query).map(flat)
  },
  {
    method: 'POST',
    path: '/aws/ec2/group',
    kind: KIND,
    handle: ({ account, body, now }) => [flat(create(ELASTIGROUP, account, body, now))]
  },
  { method: 'GET', path: '/aws/ec2/group/{groupId}', kind: KIND, handle: (context) => [flat(findGroup(context))] },
  { method: 'PUT', path: '/aws/ec2/group/{groupId}', kind: KIND, handle: change },
  { method: 'DELETE', path: '/aws/ec2/group/{groupId}', handle: discard },
  {
    method: 'GET',
    path: '/aws/ec2/group/{groupId}/status',
    kind: KIND,
    handle: (context) => groupStatus(findGroup(context), context.now)
  },
  {
    method: 'GET',
    path: '/aws/ec2/group/{groupId}/costs',
    kind: `${KIND}:stats`,
    handle: costs
  },
  { method: 'GET', path: '/aws/ec2/group/{groupId}/costs/detailed', kind: KIND, handle: detailedCosts }
]

function change (context: Context): object[] {
  const { body, now, query } = context
  const group = findChangeableGroup(context)
  const options = readQuery(query, [
    { path: 'autoApplyTags', type: 'boolean' }, { path: 'shouldResumeStateful', type: 'boolean' }
  ])
  return [flat(update(ELASTIGROUP, group, body, now, {
    autoApplyTags: readBoolean(options, 'autoApplyTags') ?? false,
    shouldResumeStateful: readBoolean(options, 'shouldResumeStateful') ?? false
  }))]
}

/** A running roll does not prevent it: it is stopped. */
function discard (context: Context): undefined {
  const { account, body, now } = context
  const group = findGroup(context)
  checkDeleteBody(body, GROUP_DELETE_BODY)
  stopRolling(group, now)
  remove(ELASTIGROUP, account, group, now)
  account.deletedGroups.push(group)
}

function costs (context: Context): object[] {
  const { now, query } = context
  const group = findGroup(context)
  return readPeriods(query, group, now).map((range) => costsOf(group, range, now))
}

function detailedCosts (context: Context): object[] {
  const { now, query } = context
  const group = findGroup(context)
  const rows = readPeriods(query, group, now).flatMap((range) => costsByMachine(group, range, now))
  return rows.map(({ machine, costs }) => ({
    groupId: group.id,
    instanceId: machine.instanceId,
    spotInstanceRequestId: machine.spotInstanceRequestId,
    instanceType: machine.instanceType,
    availabilityZone: machine.availabilityZone,
    ...costs
  }))
}
