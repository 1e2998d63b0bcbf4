import { findGroup, KIND } from '../elastigroups/engine.js'
import type { Group } from '../elastigroups/model.js'
import { writeLog } from '../journal/model.js'
import type { Context, Operation } from '../operation.js'
import { readBody } from '../protocol/body.js'
import { refusal } from '../protocol/errors.js'
import { statusOf } from './engine.js'
import type { ListenerRuleMigration } from './model.js'

const PATH = '/aws/ec2/group/{groupId}/itf/migration'

/** Migrations of a group's listener rules to Intelligent Traffic Flow. */
export const listenerRules: Operation[] = [
  { method: 'GET', path: PATH, kind: `${KIND}:itf:migration`, handle: list },
  { method: 'PUT', path: `${PATH}/{migrationId}`, kind: `${KIND}:itf:migration`, handle: retry }
]

function list (context: Context): object[] {
  const group = findGroup(context)
  return group.listenerRuleMigrations.map((migration) => show(group, migration, context.now))
}

/** Only a failed one can be tried again. */
function retry (context: Context): object[] {
  const { now, params } = context
  const group = findGroup(context)
  const migration = group.listenerRuleMigrations.find(({ id }) => id === params.migrationId)
  if (migration === undefined) throw refusal('LISTENER_RULE_MIGRATION_DOESNT_EXIST')
  readBody(context.body, [{ path: 'status', type: 'string', required: true, oneOf: ['USER_RETRY'] }])
  const { status } = statusOf(migration, now)
  if (status !== 'Failed') {
    throw refusal('CANT_CHANGE_MIGRATION', `Listener rule migration ${migration.id} is "${status}", not "Failed"`)
  }
  migration.attempt++
  migration.startedAt = now
  writeLog(group, now, `Listener rule migration ${migration.id} is tried again`, [group.id, migration.id])
  return [show(group, migration, now)]
}

function show (group: Group, migration: ListenerRuleMigration, now: number): object {
  const { status, since } = statusOf(migration, now)
  return {
    id: migration.id,
    groupId: group.id,
    ruleArn: migration.ruleArn,
    status,
    createdAt: new Date(migration.createdAt).toISOString(),
    updatedAt: new Date(since).toISOString()
  }
}
