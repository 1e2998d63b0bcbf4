import type { ProblemError } from '../../problems/index.js'
import type { Change, Resource } from '../change.js'
import { breach, breachesAt } from '../locations.js'
import { amountOf, placesOf, valueAt, type Place } from '../places.js'
import { isTag, TAGS, tagsOf, wanted, type Tag } from '../tags.js'

const TARGET = ['capacity', 'target']
const TASKS = ['scheduling', 'tasks']
const NOUN: Record<Resource, string> = { elastigroup: 'the group', managedInstance: 'the managed instance' }

/** By which a task leaves nothing running. */
const STOPS: Record<Resource, { names: string[], stops: (value: unknown) => boolean }> = {
  elastigroup: {
    names: ['scaleTargetCapacity', 'scaleMaxCapacity', 'targetCapacity', 'maxCapacity', 'MaxCapacity'],
    stops: (value) => !(amountOf(value)! > 0)
  },
  managedInstance: {
    names: ['taskType'], stops: (value) => typeof value !== 'string' || value.toLowerCase() === 'pause'
  }
}

/** A tag that can not be read may be any. */
const mayBe = (entry: string, tag: Tag) =>
  tag.key === undefined || (tag.key === wanted(entry).key && tag.value === undefined) || isTag(entry, tag)

const has = (tags: Tag[], entry: string) => tags.some((tag) => isTag(entry, tag))

export function protectedTags (entries: string[], change: Change): ProblemError[] {
  const { before, after, locate } = change
  const tags = tagsOf(before)
  const carried = entries.filter((entry) => tags.some((tag) => mayBe(entry, tag)))
  if (carried.length === 0) return []
  const because = `, as ${NOUN[change.resource]} carries ${carried.join(', ')}`
  if (change.deed !== undefined) return [breach(locate([]), 'protectedTags', `${change.deed}${because}`)]

  const zero = `can not be scaled to zero${because}`
  const lost = carried.filter((entry) => has(tags, entry) && !has(tagsOf(after), entry))
  const keep = `must keep the protected tag ${lost.join(', ')}`
  return [
    ...lost.length === 0 ? [] : [breach(locate(TAGS), 'protectedTags', keep)],
    ...reachesZero(change) ? [breach(locate(TARGET), 'protectedTags', zero)] : [],
    ...breachesAt(newTasks(change), locate, 'protectedTags', ({ value, fits }) =>
      fits && !STOPS[change.resource].stops(value) ? undefined : zero)
  ]
}

/** Whether the request takes a group that may run something to none. Nothing set is none: vendor OpenAPI. */
function reachesZero ({ resource, before, after, locate }: Change): boolean {
  if (resource !== 'elastigroup' || locate(TARGET).stands) return false
  const target = amountOf(valueAt(after, TARGET) ?? 0)
  return valueAt(before, TARGET) !== 0 && (target === undefined || target <= 0)
}

/** What the tasks that a request brings would do; nothing where they are those there are. */
function newTasks ({ resource, before, after, locate }: Change): Place[] {
  const same = JSON.stringify(valueAt(before, TASKS)) === JSON.stringify(valueAt(after, TASKS))
  if (same || locate(TASKS).stands) return []
  return STOPS[resource].names.flatMap((name) => placesOf(after, `scheduling.tasks[].${name}`))
}
