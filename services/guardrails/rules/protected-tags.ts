import type { ProblemError } from '../../problems/index.js'
import type { JsonPath } from '../../problems/pointer.js'
import { capacitiesOf, INTEGRATIONS, LISTS, loweringMoves } from '../capacities.js'
import type { Change, Resource } from '../change.js'
import { breach, breachesAt } from '../locations.js'
import { amountOf, valuesOf, valueAt, type Value } from '../values.js'
import { isTag, TAGS, tagsOf, wanted, type Tag } from '../tags.js'

const TARGET = ['capacity', 'target']
/** The least amount that is not zero: weights can be fractions. */
const ABOVE_ZERO = Number.MIN_VALUE
const MINIMUM = ['capacity', 'minimum']
const NOUN: Record<Resource, string> = { elastigroup: 'the group', managedInstance: 'the managed instance' }

/** Whether a tag may match: one that cannot be read may be any. */
const mayBe = (entry: string, tag: Tag) =>
  tag.key === undefined || (tag.key === wanted(entry).key && tag.value === undefined) || isTag(entry, tag)

const has = (tags: Tag[], entry: string) => tags.some((tag) => isTag(entry, tag))

export function protectedTags (entries: string[], change: Change): ProblemError[] {
  const { before, after, locate } = change
  if (change.unknown !== undefined) {
    const words = `${change.unknown}, because its tags are not known, and ${entries.join(', ')} is protected`
    return [breach(locate([]), 'protectedTags', words)]
  }
  const tags = tagsOf(before)
  const carried = entries.filter((entry) => tags.some((tag) => mayBe(entry, tag)))
  if (carried.length === 0) return []
  const because = `, because ${NOUN[change.resource]} has the protected tag ${carried.join(', ')}`
  if (change.forbidden !== undefined) {
    return [breach(locate([]), 'protectedTags', `${change.forbidden}${because}`)]
  }

  const lost = carried.filter((entry) => has(tags, entry) && !has(tagsOf(after), entry))
  const keep = `must keep the protected tag ${lost.join(', ')}`
  const stops = change.resource === 'elastigroup' ? stopsOfGroup : stopsOfInstance
  return [...lost.length === 0 ? [] : [breach(locate(TAGS), 'protectedTags', keep)], ...stops(change, because)]
}

/** Whether the request changes a list of tasks or policies. */
const isNew = ({ before, after, locate }: Change, list: JsonPath) =>
  !locate(list).unchanged && JSON.stringify(valueAt(before, list)) !== JSON.stringify(valueAt(after, list))

/** Where the request lets a managed instance be paused. Spot knows no other tasks than these and `pause`. */
function stopsOfInstance (change: Change, because: string): ProblemError[] {
  if (!isNew(change, ['scheduling', 'tasks'])) return []
  return breachesAt(valuesOf(change.after, 'scheduling.tasks[].taskType'), change.locate, 'protectedTags',
    ({ value, fits }) => fits && /^(resume|recycle)$/i.test(String(value)) ? undefined : `cannot be paused${because}`)
}

/** Where the request lets a group go to zero: at once, by a task, or by a policy. What is so already may stay so. */
function stopsOfGroup (change: Change, because: string): ProblemError[] {
  const { before, after, locate } = change
  const newLists = LISTS.filter((list) => isNew(change, list))
  const inNewList = (path: JsonPath) => newLists.some((list) => list.every((step, i) => path[i] === step)) ||
    (path[0] === INTEGRATIONS && isNew(change, path))
  const isSmall = (value: unknown, least: number) => !((amountOf(value ?? 0) ?? -1) >= least)
  /** Values below the least one that the request sets: in a new list, or in the capacity, unless it was as small. */
  const lowered = (values: Value[], least: number) => values.filter(({ path, value, fits }) =>
    (!fits || isSmall(value, least)) &&
    (inNewList(path) || (path[0] === 'capacity' && !locate(path).unchanged && !wasSmall(path, least))))
  const wasSmall = (path: JsonPath, least: number) => (amountOf(valueAt(before, path) ?? 0) ?? Infinity) < least
  const at = (values: Value[], words: string) =>
    breachesAt(values, locate, 'protectedTags', () => `${words}${because}`)
  /** What is missing counts as zero, as Spot documents it of the target. */
  const orZero = (path: JsonPath): Value[] =>
    (valueAt(after, path) ?? null) === null ? [{ path, value: 0, fits: true }] : []

  const mosts = [...orZero(TARGET), ...capacitiesOf(after, 'most')]
  const found = at(lowered(mosts, ABOVE_ZERO), 'cannot be scaled to zero')

  const moves = loweringMoves(after)
  const fewest = [...orZero(MINIMUM), ...capacitiesOf(after, 'fewest')]
  if (moves.length === 0 || !fewest.some(({ value, fits }) => !fits || isSmall(value, 1))) return found
  return [
    ...found,
    ...at(lowered(fewest, 1), 'must be at least 1 while tasks or policies lower the target'),
    ...at(moves.filter(({ path }) => inNewList(path)),
      'lowers the target, which only a capacity.minimum of at least 1 keeps from zero')
  ]
}
