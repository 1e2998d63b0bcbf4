import type { JsonPath } from '../problems/pointer.js'
import { capacityPlaces } from './capacities.js'
import { TYPE_PLACES } from './rules/instance-types.js'
import { REGION_PLACES } from './rules/regions.js'
import { STRATEGY_PLACES } from './rules/spot-only.js'
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
const PLACES = [
  ...capacityPlaces(), ...OTHERS, ...STRATEGY_PLACES, ...REGION_PLACES, 'compute.product', ...TYPE_PLACES,
  `${TAGS.join('.')}[]`
].sort((one, other) => Number(LISTS.test(one)) - Number(LISTS.test(other)))

/** Where the body of any write has what guardrails judge: above all, what sets capacity and what ends something. */
export const guardedPaths = (body: unknown): JsonPath[] =>
  PLACES.flatMap((place) => valuesAndNullsOf(body, place).map(({ path }) => path))
