import type { ProblemError } from '../../problems.js'
import type { Change, Resource } from '../change.js'
import { breach } from '../locations.js'
import { amountOf, placesOf, valueAt, type Path } from '../places.js'
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
  managedInstance: { names: ['taskType'], stops: (value) => typeof value !== 'string' || value.toLowerCase() === 'pause' }
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
  const say = (path: Path, words: string) =>
    breach(locate(path), 'protectedTags', `${words}, as ${NOUN[change.resource]} carries ${carried.join(', ')}`)

  if (change.deed !== undefined) return [say([], change.deed)]
  const lost = carried.filter((entry) => has(tags, entry) && !has(tagsOf(after), entry))
  const keep = `must keep the protected tag ${lost.join(', ')}`
  return [
    ...lost.length === 0 ? [] : [breach(locate(TAGS), 'protectedTags', keep)],
    ...reachesZero(change) ? [say(TARGET, 'can not be scaled to zero')] : [],
    ...stoppingTasks(change).map((path) => say(path, 'can not be scaled to zero'))
  ]
}

/** Whether the request takes a group that may run something to none. Nothing set is none: vendor OpenAPI. */
function reachesZero ({ resource, before, after, locate }: Change): boolean {
  if (resource !== 'elastigroup' || locate(TARGET).stands) return false
  const target = amountOf(valueAt(after, TARGET) ?? 0)
  return valueAt(before, TARGET) !== 0 && (target === undefined || target <= 0)
}

/** The tasks that leave nothing running, where the request brings others than there are. */
function stoppingTasks ({ resource, before, after, locate }: Change) {
  const same = JSON.stringify(valueAt(before, TASKS)) === JSON.stringify(valueAt(after, TASKS))
  if (same || locate(TASKS).stands) return []
  const { names, stops } = STOPS[resource]
  return names.flatMap((name) => placesOf(after, `scheduling.tasks[].${name}`))
    .filter(({ value, fits }) => !fits || stops(value))
    .map(({ path }) => path)
}
