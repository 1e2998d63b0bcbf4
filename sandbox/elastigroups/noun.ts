import type { Change } from '../machines/machines.js'
import type { Context } from '../operation.js'
import { refusal } from '../protocol/errors.js'
import type { Noun } from '../resources/resources.js'
import { fill } from './fleet.js'
import type { Group } from './group.js'
import { comingsAndGoings, happened, note } from './journal.js'
import { ELASTIGROUP_IMMUTABLE, ELASTIGROUP_RULES, elastigroupConflicts } from './rules.js'
import { fillStateful, isStateful } from './stateful.js'

/** `response.kind` of groups, and the beginning of that of their parts. */
export const KIND = 'spotinst:aws:ec2:group'

/** An Elastigroup as the shared operations know it. */
export const ELASTIGROUP: Noun<Group> = {
  envelope: 'group',
  idPrefix: 'sig',
  rules: ELASTIGROUP_RULES,
  immutable: ELASTIGROUP_IMMUTABLE,
  conflicts: elastigroupConflicts,
  shelf: (account) => account.groups,
  raise: (resource) => ({ ...resource, events: [], log: [], rolls: [], suspensions: new Map(), statefulInstances: [] }),
  born: (group, now) => {
    note(group, now, `Group ${group.id} was created`, [group.id])
    const { launched, ended } = settle(group, now)
    happened(group, now, 'Create', comingsAndGoings(launched, ended))
  },
  altered: (group, now, { autoApplyTags = false, shouldResumeStateful = false }) => {
    note(group, now, `Group ${group.id} was updated`, [group.id])
    if (autoApplyTags) note(group, now, `The tags of group ${group.id} were applied to its instances`, [group.id])
    const { launched, ended } = settle(group, now, shouldResumeStateful)
    happened(group, now, 'Update', comingsAndGoings(launched, ended))
  }
}

/** Brings the machines of a group in line with its content. */
export function settle (group: Group, now: number, shouldResumeStateful = false): Change {
  if (isStateful(group)) return fillStateful(group, now, shouldResumeStateful)
  group.statefulInstances = []
  return fill(group, now)
}

/**
 * The group that the path names.
 * @throws SandboxError 400 GROUP_DOESNT_EXIST
 */
export function findGroup ({ account, params }: Context): Group {
  const group = account.groups.get(params.groupId ?? '')
  if (group === undefined) throw refusal('GROUP_DOESNT_EXIST')
  return group
}

/** Whether a roll keeps the group from changing: it is under way, or it has failed and was not stopped. */
export function isRolling (group: Group): boolean {
  const last = group.rolls.at(-1)
  return last !== undefined && last.status !== 'finished' && last.status !== 'stopped'
}

/**
 * The group that the path names, when it may be changed.
 * @throws SandboxError 400 GROUP_DOESNT_EXIST, or CANT_UPDATE_GROUP_DURING_ROLL
 */
export function findChangeable (context: Context): Group {
  const group = findGroup(context)
  if (isRolling(group)) throw refusal('GROUP_ROLLS')
  return group
}
