import { costsOf, readRange } from './costs.js'
import { readDate } from './dates.js'
import { checkDeleteBody, GROUP_DELETE_BODY } from './deallocation.js'
import { ELASTIGROUP_IMMUTABLE, ELASTIGROUP_RULES, elastigroupConflicts } from './elastigroup-rules.js'
import { invalid, refusal } from './errors.js'
import { readNumber } from './json.js'
import { groupWish, resize } from './machines.js'
import type { Context, Operation } from './operation.js'
import { create, flat, update } from './resources.js'
import type { Noun } from './resources.js'
import { groupStatus } from './status.js'
import type { Resource } from './world.js'

/** An Elastigroup: as many machines as its target capacity. */
export const ELASTIGROUP: Noun = {
  envelope: 'group',
  idPrefix: 'sig',
  rules: ELASTIGROUP_RULES,
  immutable: ELASTIGROUP_IMMUTABLE,
  conflicts: elastigroupConflicts,
  settle: (group, now) => {
    const target = readNumber(group.content, 'capacity.target') ?? 0
    resize(group, target, now, (place) => groupWish(group.content, place))
  }
}

/**
 * The group that the path names.
 * @throws SandboxError 400 GROUP_DOESNT_EXIST
 */
export function findGroup ({ account, params }: Context): Resource {
  const group = account.groups.get(params.groupId ?? '')
  if (group === undefined) throw refusal('GROUP_DOESNT_EXIST')
  return group
}

const KIND = 'spotinst:aws:ec2:group'

/** Operations on Elastigroups themselves. */
export const elastigroups: Operation[] = [
  { method: 'GET', path: '/aws/ec2/group', kind: KIND, handle: list },
  {
    method: 'POST',
    path: '/aws/ec2/group',
    kind: KIND,
    handle: ({ account, body, now }) => [flat(create(ELASTIGROUP, account.groups, body, now))]
  },
  { method: 'GET', path: '/aws/ec2/group/{groupId}', kind: KIND, handle: (context) => [flat(findGroup(context))] },
  {
    method: 'PUT',
    path: '/aws/ec2/group/{groupId}',
    kind: KIND,
    handle: (context) => [flat(update(ELASTIGROUP, findGroup(context), context.body, context.now))]
  },
  { method: 'DELETE', path: '/aws/ec2/group/{groupId}', handle: remove },
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
    handle: (context) => [costsOf(findGroup(context), readRange(context.query), context.now)]
  }
]

/** All groups, oldest first; `name` compares exactly, the creation dates include their bounds. */
function list ({ account, query }: Context): object[] {
  const name = query.name
  const from = bound(query, 'minCreatedAt') ?? -Infinity
  const to = bound(query, 'maxCreatedAt') ?? Infinity
  return [...account.groups.values()]
    .filter((group) => name === undefined || group.content.name === name)
    .filter((group) => group.createdAt >= from && group.createdAt <= to)
    .map(flat)
}

function bound (query: Record<string, unknown>, name: string): number | undefined {
  const text = query[name]
  if (text === undefined) return undefined
  const time = typeof text === 'string' ? readDate(text, 'milliseconds') : undefined
  if (time === undefined) throw invalid([{ message: `"${name}" must be a valid date`, field: name }])
  return time
}

function remove (context: Context): undefined {
  const group = findGroup(context)
  checkDeleteBody(context.body, GROUP_DELETE_BODY)
  context.account.groups.delete(group.id)
}
