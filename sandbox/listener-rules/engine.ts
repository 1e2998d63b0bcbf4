import type { Group } from '../elastigroups/model.js'
import { derivedId } from '../ids.js'
import { readObjects, readString } from '../protocol/json.js'
import type { ListenerRuleMigration } from './model.js'

/** The first migration of a rule with this in its ARN fails. */
export const BROKEN_RULE = '/00000bad'

/** Seconds of the first two; the words are the vendor's, the durations ours. */
const STARTING = 10
const IN_PROGRESS = 60

/** Starts to migrate each rule below `compute.launchSpecification.itf` that the group has not had before. */
export function migrateNewRules (group: Group, now: number): void {
  const migrations = group.listenerRuleMigrations
  const rules = readObjects(group.content, 'compute.launchSpecification.itf.loadBalancers')
    .flatMap((balancer) => readObjects(balancer, 'listenerRules'))
    .flatMap((rule) => readString(rule, 'ruleArn') ?? [])
  for (const ruleArn of new Set(rules)) {
    if (migrations.some((migration) => migration.ruleArn === ruleArn)) continue
    const id = derivedId('ilrm', `${group.id}/${migrations.length}`)
    migrations.push({ id, ruleArn, attempt: 1, createdAt: now, startedAt: now })
  }
}

/** The status of a migration at `now`, and since when it has it (milliseconds since the epoch). */
export function statusOf ({ ruleArn, attempt, startedAt }: ListenerRuleMigration, now: number) {
  const progresses = startedAt + STARTING * 1000
  const ends = progresses + IN_PROGRESS * 1000
  if (now < progresses) return { status: 'Starting', since: startedAt }
  if (now < ends) return { status: 'In progress', since: progresses }
  return { status: ruleArn.includes(BROKEN_RULE) && attempt === 1 ? 'Failed' : 'Finished', since: ends }
}
