import type { operations as Contract } from '../../openapi/types.js'
import type { Attempt, Change, Operation, Resource, RuleName } from './change.js'
import { always, inBody, renamed, type Locate, type Location } from './locations.js'
import { merge } from './merge.js'
import { amountOf, isObject, valueAt, type JsonObject, type Path } from './places.js'
import { withGuardrailTags } from './tags.js'

type Effect = Omit<Change, 'resource' | 'judged' | 'before'>
type Parameters = Record<string, unknown>
type Request = Attempt & { params: Parameters, query: Parameters, body: JsonObject }

const PLAIN: RuleName[] = ['regions', 'instanceTypes', 'products', 'requiredTags', 'spotOnly']
const PARAMETER: Record<Resource, string> = { elastigroup: 'elastigroup', managedInstance: 'instance' }
const TARGET: Path = ['capacity', 'target']

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
 * @param effect what comes of it; `before` is empty where no rule asks for it
 * @param concerns whether this request can breach a rule at all; each one unless set
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

/** A deed that protected resources are kept from. It is due to a parameter, or a place in the body. */
const keepsFrom = (
  resource: Resource, deed: string, concerns?: (request: Request) => boolean,
  at: Location['at'] = { parameter: PARAMETER[resource] }
) => changes(resource, ['protectedTags'], () => ({ deed, locate: always(at) }), concerns)

/** A move of a group's target, judged for the target alone. One that can not be read stays, and is a breach. */
const retargets = (
  judged: RuleName, locate: Locate, move: (target: number, before: JsonObject, request: Request) => number,
  concerns?: (request: Request) => boolean
) => changes('elastigroup', [judged], (before, request) => {
  const present = valueAt(before, TARGET) ?? 0
  const target = amountOf(present)
  const moved = target === undefined ? present : move(target, before, request)
  return { after: merge(before, { capacity: { target: moved } }), within: TARGET, locate }
}, concerns)

/** What is said of protected tags goes on from here. */
const lastOne = (at: Location['at']) => always(at, 'may leave nothing running: the group ')
const higher = (parameter: string) => always({ parameter }, 'makes a target that ')

const adjustment = ({ query }: Request) => amountOf(query.adjustment ?? 1) ?? Infinity
const bound = (before: JsonObject, name: string) => amountOf(valueAt(before, ['capacity', name]))
const STAYS = 'must be false, so that the target stays'
/** Spot lowers the target by what a roll detaches, unless told not to (vendor OpenAPI): nobody knows by how much. */
const decrements = (order: JsonObject) => order.shouldDecrementTargetCapacity !== false
const onFailure = ({ body }: Request) => objectOf(objectOf(body.strategy).onFailure)

/** The entries of a body with new states of many managed instances. */
const statesOf = ({ body }: Attempt) => (Array.isArray(body) ? body : []).map(objectOf)
const resumes = ({ state }: JsonObject) => state === 'RESUME'

/**
 * The writes that can breach a rule, by operation. The others (recycling, suspensions, the end of a roll) change
 * neither capacity nor properties.
 */
export const operations: Record<string, Operation> = {
  createElastigroup: creates('elastigroup'),
  updateElastigroup: updates('elastigroup', [...PLAIN, 'maxCapacity', 'protectedTags']),
  deleteElastigroup: keepsFrom('elastigroup', 'can not be deleted'),

  updateElastigroupCapacity: changes('elastigroup', ['maxCapacity', 'protectedTags'], (before, { body }) => ({
    after: merge(before, { capacity: body }), within: ['capacity'], locate: inBody(body, true, ['capacity'])
  })),
  // Scaling never goes beyond minimum and maximum, save where the target is there already.
  scaleUpElastigroup: retargets('maxCapacity', higher('adjustment'), (target, before, request) =>
    Math.min(target + adjustment(request), Math.max(target, bound(before, 'maximum') ?? Infinity))),
  scaleDownElastigroup: retargets('protectedTags', lastOne({ parameter: 'adjustment' }), (target, before, request) =>
    Math.max(target - adjustment(request), Math.min(target, bound(before, 'minimum') ?? 0))),
  detachInstances: retargets(
    'protectedTags', lastOne({ pointer: '#/shouldDecrementTargetCapacity' }),
    (target, _, { body }) => target - new Set(Array.isArray(body.instancesToDetach) ? body.instancesToDetach : []).size,
    ({ body }) => (body.shouldDecrementTargetCapacity ?? false) !== false
  ),

  createRoll: keepsFrom(
    'elastigroup', STAYS,
    (request) => (onFailure(request).actionType ?? null) !== null && decrements(onFailure(request)),
    { pointer: '#/strategy/onFailure/shouldDecrementTargetCapacity' }
  ),
  createRollAction: keepsFrom(
    'elastigroup', STAYS, ({ body }) => decrements(body), { pointer: '#/shouldDecrementTargetCapacity' }
  ),

  // Each takes its place in the target away, or gives it back.
  pauseStatefulInstance: retargets('protectedTags', lastOne({ parameter: 'statefulInstance' }), (target) => target - 1),
  resumeStatefulInstance: retargets('maxCapacity', higher('statefulInstance'), (target) => target + 1),
  deallocateStatefulInstance: keepsFrom('elastigroup', 'can not lose a stateful instance for good'),

  createInstance: creates('managedInstance'),
  updateInstance: updates('managedInstance', [...PLAIN, 'protectedTags']),
  deleteInstance: keepsFrom('managedInstance', 'can not be deleted'),
  pauseInstance: keepsFrom('managedInstance', 'can not be paused'),
  resumeInstance: {
    resource: 'managedInstance',
    judged: ['maxCapacity'],
    changes () {
      const locate = always({ parameter: 'instance' })
      return [{ resource: 'managedInstance', judged: this.judged, after: {}, locate }]
    }
  },
  deleteInstanceVolume: keepsFrom('managedInstance', 'can not lose a volume'),

  updateInstanceStates: {
    resource: 'managedInstance',
    judged: ['maxCapacity', 'protectedTags'],
    present: {
      rules: ['protectedTags'],
      ids: (attempt) => statesOf(attempt).filter((entry) => !resumes(entry)).map(({ id }) => String(id))
    },
    changes: (attempt, present) => statesOf(attempt).map((entry, i): Change => {
      const locate = always({ pointer: `#/${i}` })
      return resumes(entry)
        ? { resource: 'managedInstance', judged: ['maxCapacity'], after: {}, locate }
        : {
            resource: 'managedInstance',
            judged: ['protectedTags'],
            before: present.get(String(entry.id)),
            // PAUSE is the only other one there is; what nobody knows may end it.
            deed: entry.state === 'PAUSE' ? 'can not be paused' : 'can not be brought into this state',
            locate
          }
    })
  },

  createImport: {
    resource: 'managedInstance',
    judged: [...PLAIN, 'maxCapacity'],
    changes (attempt) {
      const { body, accountRegion } = opened(attempt)
      const instanceTypes = { types: body.spotInstanceTypes }
      const { region, product, availabilityZones } = body
      const after = { region, compute: { product, availabilityZones, launchSpecification: { instanceTypes } } }
      const locate = renamed([
        [['region'], ['region']],
        [['compute', 'product'], ['product']],
        [['compute', 'availabilityZones'], ['availabilityZones']],
        [['compute', 'launchSpecification', 'instanceTypes', 'types'], ['spotInstanceTypes']],
        [['compute', 'launchSpecification', 'instanceTypes'], ['spotInstanceTypes']]
      ], ' (an import can not say so: create the managed instance instead)')
      return [{ resource: 'managedInstance', judged: this.judged, after, accountRegion, locate }]
    }
  }
} satisfies Partial<Record<keyof Contract, Operation>>
