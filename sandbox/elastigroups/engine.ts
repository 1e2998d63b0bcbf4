import type { Change } from '../machines/engine.js'
import type { Context } from '../operation.js'
import { refusal } from '../protocol/errors.js'
import type { Noun } from '../resources/engine.js'
import { scaleToTarget } from './fleet.js'
import type { Group } from './model.js'
import { scalingSubEvents, recordEvent, writeLog } from '../journal/model.js'
import { migrateNewRules } from '../listener-rules/engine.js'
import { ELASTIGROUP_IMMUTABLE, elastigroupConflicts, elastigroupRules } from './rules.js'
import { reconcileStateful, isStateful } from '../stateful-instances/engine.js'

/** `kind` of Spot's answers about groups; the kinds of their parts begin with it: `…:capacity`. */
export const KIND = 'spotinst:aws:ec2:group'

/** How the shared create, update and delete handle an Elastigroup. */
export const ELASTIGROUP: Noun<Group> = {
  envelope: 'group',
  idPrefix: 'sig',
  rules: elastigroupRules,
  immutable: ELASTIGROUP_IMMUTABLE,
  conflicts: elastigroupConflicts,
  storage: (account) => account.groups,
  extend: (resource) => ({
    ...resource,
    events: [],
    log: [],
    rolls: [],
    suspensions: new Map(),
    policySuspensions: new Map(),
    listenerRuleMigrations: [],
    isInMaintenance: false,
    statefulInstances: []
  }),
  afterCreate: (group, now) => {
    writeLog(group, now, `Group ${group.id} was created`, [group.id])
    const { launched, ended } = reconcile(group, now)
    recordEvent(group, now, 'Create', scalingSubEvents(launched, ended))
    migrateNewRules(group, now)
  },
  afterUpdate: (group, now, { autoApplyTags = false, shouldResumeStateful = false }) => {
    writeLog(group, now, `Group ${group.id} was updated`, [group.id])
    if (autoApplyTags) writeLog(group, now, `The tags of group ${group.id} were applied to its instances`, [group.id])
    const { launched, ended } = reconcile(group, now, shouldResumeStateful)
    recordEvent(group, now, 'Update', scalingSubEvents(launched, ended))
    migrateNewRules(group, now)
  }
}

/** Launches and ends machines until they match the content of the group. */
export function reconcile (group: Group, now: number, shouldResumeStateful = false): Change {
  if (isStateful(group)) return reconcileStateful(group, now, shouldResumeStateful)
  group.statefulInstances = []
  return scaleToTarget(group, now)
}

/**
 * The group in the path.
 * @throws SandboxError 400 GROUP_DOESNT_EXIST
 */
export function findGroup ({ account, params }: Context): Group {
  const group = account.groups.get(params.groupId ?? '')
  if (group === undefined) throw refusal('GROUP_DOESNT_EXIST')
  return group
}

/** Whether a roll blocks changes: it is under way, or has failed and was not stopped. A failed deployment has ended. */
export function isBlockedByRoll (group: Group): boolean {
  const last = group.rolls.at(-1)
  const ends = ['finished', 'stopped', ...last?.deployment === undefined ? [] : ['failed']]
  return last !== undefined && !ends.includes(last.status)
}

/**
 * The group in the path, if no roll blocks it.
 * @throws SandboxError 400 GROUP_DOESNT_EXIST, or CANT_UPDATE_GROUP_DURING_ROLL
 */
export function findChangeableGroup (context: Context): Group {
  const group = findGroup(context)
  if (isBlockedByRoll(group)) throw refusal('CANT_UPDATE_GROUP_DURING_ROLL')
  return group
}
