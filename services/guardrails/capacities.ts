import type { JsonPath } from '../problems/pointer.js'
import { isObject } from '../resources/json.js'
import { amountOf, valueAt, valuesOf, type Value } from './values.js'

/** Where a group changes its capacity by itself: by metrics, and at set times. */
export const LISTS: JsonPath[] = [
  ['scheduling', 'tasks'], ['scaling', 'up'], ['scaling', 'down'], ['scaling', 'target']
]

/** Where it does so by what a cluster needs: ECS, Kubernetes, Nomad, Docker Swarm, and whatever Spot adds. */
export const INTEGRATIONS = 'thirdPartiesIntegration'

/** Tasks that end no instance without another one in its place, save by an `adjustment` below zero. */
const HARMLESS_TASK = /^(scale|scaleUp|percentageScaleUp|roll|backup_ami|statefulUpdateCapacity|statefulRecycle)$/i

const POLICIES = ['scaling.up[]', 'scaling.down[]', 'scaling.target[]']
const ACTIONS = POLICIES.flatMap((policy) => [`${policy}.action`, `${policy}.stepAdjustments[].action`])
const TASKS = ['scheduling.tasks[]']

const under = (above: string[], names: string[]) => above.flatMap((where) => names.map((name) => `${where}.${name}`))

/**
 * Everything that sets the capacity of a group, by what it sets. Disabled policies and tasks are included, as they can
 * be enabled elsewhere, in Spot's console. Both spellings of `minCapacity` and `maxCapacity` are Spot's.
 */
const PATTERNS = {
  /** The target, or the most that may run. */
  most: [
    ...under(['capacity'], ['target', 'maximum']),
    ...under(TASKS, ['scaleTargetCapacity', 'scaleMaxCapacity', 'targetCapacity', 'maxCapacity', 'MaxCapacity']),
    ...under(POLICIES, ['maxTargetCapacity']),
    ...under(ACTIONS, ['maxTargetCapacity', 'target', 'maximum'])
  ],
  /** The fewest that run, whatever lowers the target. */
  fewest: [
    'capacity.minimum',
    ...under(TASKS, ['scaleMinCapacity', 'minCapacity', 'MinCapacity']),
    ...under(ACTIONS, ['minimum'])
  ],
  /** Only ever raises what runs. */
  raised: ['strategy.onDemandCount', ...under([...POLICIES, ...ACTIONS], ['minTargetCapacity'])]
}

export type Sets = keyof typeof PATTERNS

/** The values that set these; default: all. */
export const capacitiesOf = (resource: unknown, ...sets: Sets[]): Value[] =>
  (sets.length > 0 ? sets : Object.keys(PATTERNS) as Sets[])
    .flatMap((name) => PATTERNS[name].flatMap((pattern) => valuesOf(resource, pattern)))

/**
 * What moves the target of a group down from where it is, by any number of instances. Only the minimum stops it. What
 * cannot be read is included.
 */
export const loweringMoves = (group: unknown): Value[] => [
  ...valuesOf(group, 'scheduling.tasks[]').filter(({ value, fits }) => !fits || !isObject(value) ||
    !HARMLESS_TASK.test(String(value.taskType ?? 'scale')) ||
    !raises(value.adjustment) || !raises(value.adjustmentPercentage)),
  ...valuesOf(group, 'scaling.down[]').filter(({ value, fits }) => !fits || !isObject(value) ||
    (value.adjustment ?? null) !== null || !actionsOf(value).every(isAbsolute)),
  ...valuesOf(group, 'scaling.up[]').filter(({ value, fits }) => !fits || !isObject(value) ||
    ![value, ...actionsOf(value)].every((action) => isObject(action) && raises(action.adjustment))),
  // They add and remove as the metric wants it.
  ...valuesOf(group, 'scaling.target[]'),
  ...autoScalesOf(group).filter(({ value, fits }) => !fits || !isObject(value) || value.isEnabled !== false)
]

function autoScalesOf (group: unknown): Value[] {
  const integrations = valueAt(group, [INTEGRATIONS])
  return Object.entries(isObject(integrations) ? integrations : {}).flatMap(([name, integration]) =>
    valuesOf(integration, 'autoScale').map(({ path, ...value }) => ({ ...value, path: [INTEGRATIONS, name, ...path] })))
}

const raises = (adjustment: unknown) => (adjustment ?? null) === null || (amountOf(adjustment) ?? -1) >= 0

/** What a policy does: the actions of its steps, its own, or in its older form the policy itself. */
function actionsOf (policy: unknown): unknown[] {
  if (!isObject(policy)) return [policy]
  const { stepAdjustments, action } = policy
  if (Array.isArray(stepAdjustments) && stepAdjustments.length > 0) {
    return [...stepAdjustments.map((step) => isObject(step) ? step.action : step), ...action ? [action] : []]
  }
  return [action ?? policy]
}

/** Whether an action says how much is to run, not how much more or less. */
const isAbsolute = (action: unknown) =>
  isObject(action) && ['updateCapacity', 'setMaxTarget', 'setMinTarget'].includes(action.type as string)
