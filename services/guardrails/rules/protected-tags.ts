import type { ProblemError } from '../../problems/index.js'
import type { Change, Resource } from '../change.js'
import { breach, breachesAt } from '../locations.js'
import { amountOf, valuesOf, valueAt, type Value } from '../values.js'
import { isTag, TAGS, tagsOf, wanted, type Tag } from '../tags.js'

const TARGET = ['capacity', 'target']
const TASKS = ['scheduling', 'tasks']
const NOUN: Record<Resource, string> = { elastigroup: 'the group', managedInstance: 'the managed instance' }

/** What a scheduled task stops a resource with. */
const STOPS: Record<Resource, { names: string[], stops: (value: unknown) => boolean }> = {
  elastigroup: {
    names: ['scaleTargetCapacity', 'scaleMaxCapacity', 'targetCapacity', 'maxCapacity', 'MaxCapacity'],
    stops: (value) => !(amountOf(value)! > 0)
  },
  managedInstance: {
    names: ['taskType'], stops: (value) => typeof value !== 'string' || value.toLowerCase() === 'pause'
  }
}

/** Whether a tag may match: one that cannot be read may be any. */
const mayBe = (entry: string, tag: Tag) =>
  tag.key === undefined || (tag.key === wanted(entry).key && tag.value === undefined) || isTag(entry, tag)

const has = (tags: Tag[], entry: string) => tags.some((tag) => isTag(entry, tag))

export function protectedTags (entries: string[], change: Change): ProblemError[] {
  const { before, after, locate } = change
  const tags = tagsOf(before)
  const carried = entries.filter((entry) => tags.some((tag) => mayBe(entry, tag)))
  if (carried.length === 0) return []
  const because = `, because ${NOUN[change.resource]} has the protected tag ${carried.join(', ')}`
  if (change.forbidden !== undefined) {
    return [breach(locate([]), 'protectedTags', `${change.forbidden}${because}`)]
  }

  const zero = `cannot be scaled to zero${because}`
  const lost = carried.filter((entry) => has(tags, entry) && !has(tagsOf(after), entry))
  const keep = `must keep the protected tag ${lost.join(', ')}`
  return [
    ...lost.length === 0 ? [] : [breach(locate(TAGS), 'protectedTags', keep)],
    ...reachesZero(change) ? [breach(locate(TARGET), 'protectedTags', zero)] : [],
    ...breachesAt(newTasks(change), locate, 'protectedTags', ({ value, fits }) =>
      fits && !STOPS[change.resource].stops(value) ? undefined : zero)
  ]
}

/** Whether the request scales a group that may be running to zero. A missing target is zero: vendor OpenAPI. */
function reachesZero ({ resource, before, after, locate }: Change): boolean {
  if (resource !== 'elastigroup' || locate(TARGET).unchanged) return false
  const target = amountOf(valueAt(after, TARGET) ?? 0)
  return valueAt(before, TARGET) !== 0 && (target === undefined || target <= 0)
}

/** What the tasks of a request would do; empty when the request does not change them. */
function newTasks ({ resource, before, after, locate }: Change): Value[] {
  const same = JSON.stringify(valueAt(before, TASKS)) === JSON.stringify(valueAt(after, TASKS))
  if (same || locate(TASKS).unchanged) return []
  return STOPS[resource].names.flatMap((name) => valuesOf(after, `scheduling.tasks[].${name}`))
}
