import type { JsonPath } from '../problems/pointer.js'
import { capacityPatterns } from './capacities.js'
import { TYPE_PATTERNS } from './rules/instance-types.js'
import { REGION_PATTERNS } from './rules/regions.js'
import { STRATEGY_PATTERNS } from './rules/spot-only.js'
import { TAGS } from './tags.js'
import { valuesAndNullsOf } from './values.js'

/** Of bodies that are not a resource: a capacity, a detachment, a roll and its action, an import, states. */
const OTHERS = [
  'target', 'minimum', 'maximum', 'shouldTerminateInstances', 'shouldDecrementTargetCapacity', 'actionType',
  'strategy.onFailure.actionType', 'strategy.onFailure.shouldDecrementTargetCapacity', 'shouldTerminateInstance',
  'product', 'spotInstanceTypes[]', 'availabilityZones[].name', '[].state', '[].id'
]

const LISTS = /\[\]/

/** What can be there once comes first: no list, however long, hides it. */
const PATTERNS = [
  ...capacityPatterns(), ...OTHERS, ...STRATEGY_PATTERNS, ...REGION_PATTERNS, 'compute.product', ...TYPE_PATTERNS,
  `${TAGS.join('.')}[]`
].sort((one, other) => Number(LISTS.test(one)) - Number(LISTS.test(other)))

/** Where the body of any write has what guardrails judge: above all, what sets capacity and what ends something. */
export const guardedPaths = (body: unknown): JsonPath[] =>
  PATTERNS.flatMap((pattern) => valuesAndNullsOf(body, pattern).map(({ path }) => path))
