import type { operations as Contract } from '../../openapi/types.js'
import type { JsonPath } from '../problems/pointer.js'
import { isObject, type JsonObject } from '../resources/json.js'
import type { Attempt, Change, Operation, Resource, RuleName } from './change.js'
import { always, inBody, renamed, type Locate, type Location } from './locations.js'
import { merge } from './merge.js'
import { amountOf, valueAt } from './values.js'
import { withGuardrailTags } from './tags.js'

type Effect = Omit<Change, 'resource' | 'judged' | 'before'>
type Parameters = Record<string, unknown>
type Request = Attempt & { params: Parameters, query: Parameters, body: JsonObject }

const PLAIN: RuleName[] = ['regions', 'instanceTypes', 'products', 'requiredTags', 'spotOnly', 'schema']
const PARAMETER: Record<Resource, string> = { elastigroup: 'elastigroup', managedInstance: 'instance' }
const TARGET: JsonPath = ['capacity', 'target']

const objectOf = (value: unknown): JsonObject => isObject(value) ? value : {}
const opened = (attempt: Attempt): Request => ({
  ...attempt, params: attempt.params as Parameters, query: objectOf(attempt.query), body: objectOf(attempt.body)
})

const creates = (resource: Resource): Operation => ({
  resource,
  judged: [...PLAIN, 'maxCapacity'],
  changes (attempt) {
    const { body, rules, accountRegion } = opened(attempt)
    const after = withGuardrailTags(body, rules)
    return [{ resource, judged: this.judged, after, accountRegion, locate: inBody(body, false) }]
  }
})

/**
 * An operation on the one resource in its path.
 *
 * @param effect what it does; `before` is empty where no rule needs it
 * @param concerns whether this request can breach a rule at all; default: it can
 */
function changes (
  resource: Resource, judged: RuleName[], effect: (before: JsonObject, request: Request) => Effect,
  concerns: (request: Request) => boolean = () => true
): Operation {
  const idOf = ({ params }: Attempt) => String((params as Parameters)[PARAMETER[resource]])
  return {
    resource,
    judged,
    present: { rules: judged, ids: (attempt) => concerns(opened(attempt)) ? [idOf(attempt)] : [] },
    changes (attempt, present) {
      const request = opened(attempt)
      const before = present.get(idOf(attempt))
      return concerns(request) ? [{ resource, judged, before, ...effect(before ?? {}, request) }] : []
    }
  }
}

const updates = (resource: Resource, judged: RuleName[]) =>
  changes(resource, judged, (before, { body, accountRegion }) => ({
    after: merge(before, body), accountRegion, locate: inBody(body, true)
  }))

/** An action that is forbidden for protected resources. A parameter or a value in the body causes it. */
const protects = (
  resource: Resource, forbidden: string, concerns?: (request: Request) => boolean,
  at: Location['at'] = { parameter: PARAMETER[resource] }
) => changes(resource, ['protectedTags'], () => ({ forbidden, locate: always(at) }), concerns)

/** A change of a group's target, judged for the target alone. One that cannot be read stays, and is a breach. */
const retargets = (
  judged: RuleName, locate: Locate, move: (target: number, before: JsonObject, request: Request) => number,
  concerns?: (request: Request) => boolean
) => changes('elastigroup', [judged, 'schema'], (before, request) => {
  const present = valueAt(before, TARGET) ?? 0
  const target = amountOf(present)
  const moved = target === undefined ? present : move(target, before, request)
  return { after: merge(before, { capacity: { target: moved } }), within: TARGET, locate }
}, concerns)

/** Messages continue after these. */
const lastOne = (at: Location['at']) => always(at, 'may leave nothing running: the group ')
const higher = (parameter: string) => always({ parameter }, 'leads to a target that ')

const adjustment = ({ query }: Request) => amountOf(query.adjustment ?? 1) ?? Infinity
const bound = (before: JsonObject, name: string) => amountOf(valueAt(before, ['capacity', name]))
const STAYS = 'must be false, so that the target does not change'
/** By default Spot lowers the target by what a roll detaches (vendor OpenAPI); nobody knows by how much. */
const decrements = (order: JsonObject) => order.shouldDecrementTargetCapacity !== false
const onFailure = ({ body }: Request) => objectOf(objectOf(body.strategy).onFailure)

/** The entries of a body with the new states of many managed instances. */
const statesOf = ({ body }: Attempt) => (Array.isArray(body) ? body : []).map(objectOf)
const resumes = ({ state }: JsonObject) => state === 'RESUME'

/**
 * The writes that can breach a rule, by operation. The others (recycling, suspensions, stopping a roll, locks, standby)
 * change neither capacity nor properties.
 */
export const operations: Record<string, Operation> = {
  createElastigroup: creates('elastigroup'),
  updateElastigroup: updates('elastigroup', [...PLAIN, 'maxCapacity', 'protectedTags']),
  deleteElastigroup: protects('elastigroup', 'cannot be deleted'),

  updateElastigroupCapacity: changes('elastigroup', ['maxCapacity', 'protectedTags', 'schema'], (before, { body }) => ({
    after: merge(before, { capacity: body }), within: ['capacity'], locate: inBody(body, true, ['capacity'])
  })),
  // Scaling stays between minimum and maximum, unless the target is beyond them already.
  scaleUpElastigroup: retargets('maxCapacity', higher('adjustment'), (target, before, request) =>
    Math.min(target + adjustment(request), Math.max(target, bound(before, 'maximum') ?? Infinity))),
  scaleDownElastigroup: retargets('protectedTags', lastOne({ parameter: 'adjustment' }), (target, before, request) =>
    Math.max(target - adjustment(request), Math.min(target, bound(before, 'minimum') ?? 0))),
  detachInstances: retargets(
    'protectedTags', lastOne({ pointer: '#/shouldDecrementTargetCapacity' }),
    (target, _, { body }) => target - new Set(Array.isArray(body.instancesToDetach) ? body.instancesToDetach : []).size,
    ({ body }) => (body.shouldDecrementTargetCapacity ?? false) !== false
  ),

  createRoll: protects(
    'elastigroup', STAYS,
    (request) => (onFailure(request).actionType ?? null) !== null && decrements(onFailure(request)),
    { pointer: '#/strategy/onFailure/shouldDecrementTargetCapacity' }
  ),
  createRollAction: protects(
    'elastigroup', STAYS, ({ body }) => decrements(body), { pointer: '#/shouldDecrementTargetCapacity' }
  ),

  // Each lowers the target by one, or raises it again.
  pauseStatefulInstance: retargets('protectedTags', lastOne({ parameter: 'statefulInstance' }), (target) => target - 1),
  resumeStatefulInstance: retargets('maxCapacity', higher('statefulInstance'), (target) => target + 1),
  deallocateStatefulInstance: protects('elastigroup', 'cannot lose a stateful instance'),

  createInstance: creates('managedInstance'),
  updateInstance: updates('managedInstance', [...PLAIN, 'protectedTags']),
  deleteInstance: protects('managedInstance', 'cannot be deleted'),
  pauseInstance: protects('managedInstance', 'cannot be paused'),
  resumeInstance: {
    resource: 'managedInstance',
    judged: ['maxCapacity'],
    changes () {
      const locate = always({ parameter: 'instance' })
      return [{ resource: 'managedInstance', judged: this.judged, after: {}, locate }]
    }
  },
  deleteInstanceVolume: protects('managedInstance', 'cannot lose a volume'),

  updateInstanceStates: {
    resource: 'managedInstance',
    judged: ['maxCapacity', 'protectedTags'],
    present: {
      rules: ['protectedTags'],
      ids: (attempt) => statesOf(attempt).filter((entry) => !resumes(entry)).map(({ id }) => String(id)),
      pointerTo: (attempt, id) => `#/${statesOf(attempt).findIndex((entry) => entry.id === id)}/id`
    },
    changes: (attempt, present) => statesOf(attempt).map((entry, i): Change => {
      const locate = always({ pointer: `#/${i}` })
      return resumes(entry)
        ? { resource: 'managedInstance', judged: ['maxCapacity'], after: {}, locate }
        : {
            resource: 'managedInstance',
            judged: ['protectedTags'],
            before: present.get(String(entry.id)),
            // PAUSE is the only other known state; an unknown one may terminate it.
            forbidden: entry.state === 'PAUSE' ? 'cannot be paused' : 'cannot be put into this state',
            locate
          }
    })
  },

  createImport: {
    resource: 'managedInstance',
    judged: [...PLAIN, 'maxCapacity', 'protectedTags'],
    changes (attempt) {
      const { body, accountRegion } = opened(attempt)
      const instanceTypes = { types: body.spotInstanceTypes }
      const { region, product, availabilityZones } = body
      const after = { region, compute: { product, availabilityZones, launchSpecification: { instanceTypes } } }
      const names: [from: JsonPath, to: JsonPath][] = [
        [['region'], ['region']],
        [['compute', 'product'], ['product']],
        [['compute', 'availabilityZones'], ['availabilityZones']],
        [['compute', 'launchSpecification', 'instanceTypes', 'types'], ['spotInstanceTypes']]
      ]
      const locate = renamed([...names, [['compute', 'launchSpecification', 'instanceTypes'], ['spotInstanceTypes']]],
        ' (an import cannot set this: create the managed instance instead)')
      const known = names.map(([path]) => path)
      const imported: Change = { resource: 'managedInstance', judged: this.judged, after, known, accountRegion, locate }
      if (body.shouldTerminateInstance === false) return [imported]
      // Nobody told Spot of its tags, and Spot does not say what it does by default.
      return [imported, {
        resource: 'managedInstance',
        judged: ['protectedTags'],
        unknown: 'must be false: the EC2 instance cannot be terminated',
        locate: always({ pointer: '#/shouldTerminateInstance' })
      }]
    }
  }
} satisfies Partial<Record<keyof Contract, Operation>>
