import { documentRules } from '../protocol/document.js'
import { isObject, read, readNumber } from '../protocol/json.js'
import type { JsonObject } from '../protocol/json.js'
import type { Violation } from '../protocol/validation.js'

/** What the sandbox checks of a group beside the project's document. Vocabularies: vendor OpenAPI and Go SDK. */
export const elastigroupRules = documentRules('ElastigroupCreate', [
  { path: 'name', type: 'string', nullable: false },
  { path: 'capacity.target', type: 'integer', minimum: 0 },
  { path: 'capacity.minimum', type: 'integer', minimum: 0 },
  { path: 'capacity.maximum', type: 'integer', minimum: 0 },
  { path: 'capacity.unit', type: 'string', oneOf: ['instance', 'weight'] },
  { path: 'strategy.risk', type: 'number', minimum: 0, maximum: 100 },
  { path: 'strategy.onDemandCount', type: 'integer', minimum: 0 },
  {
    path: 'strategy.availabilityVsCost',
    type: 'string',
    oneOf: ['costOriented', 'availabilityOriented', 'balanced', 'cheapest', 'equalAzDistribution']
  },
  { path: 'strategy.revertToSpot.performAt', type: 'string', oneOf: ['always', 'never', 'timeWindow'] }
])

/** These cannot change after creation. Source: vendor OpenAPI, Terraform provider; region is inferred. */
export const ELASTIGROUP_IMMUTABLE = ['capacity.unit', 'compute.product', 'region']

/** Contradictions between fields of a group, after a PUT is merged. `sent` is the body alone. */
export function elastigroupConflicts (group: JsonObject, sent: JsonObject, creating: boolean): Violation[] {
  return [...capacityConflicts(group, 'group.capacity'), ...instanceTypeConflicts(group, sent, creating)]
}

/** Contradictions between minimum, target and maximum of a group; `field` is where the body has them. */
export function capacityConflicts (group: JsonObject, field: string): Violation[] {
  const order = [
    ['target', 'greater', 'minimum'], ['target', 'less', 'maximum'], ['minimum', 'less', 'maximum']
  ] as const
  return order.flatMap(([name, relation, other]) => {
    const value = readNumber(group, `capacity.${name}`)
    const bound = readNumber(group, `capacity.${other}`)
    if (value === undefined || bound === undefined) return []
    if (relation === 'greater' ? value >= bound : value <= bound) return []
    const message = `"${name}" must be ${relation} than or equal to "ref:${other}"`
    return [{ message, field: `${field}.${name}` }]
  })
}

/** Both texts: help.spot.io, troubleshooting. */
function instanceTypeConflicts (group: JsonObject, sent: JsonObject, creating: boolean): Violation[] {
  const found: Violation[] = []
  const field = 'group.compute.instanceTypes'
  const set = (name: string) => (read(group, `compute.instanceTypes.${name}`) ?? null) !== null
  if (set('ondemand') && set('onDemandTypes')) {
    found.push({ message: 'Cannot set both \'ondemand\' and \'onDemandTypes\' parameters', field })
  }
  // On create, the vendor counts even null as present; on update, null clears one of the two.
  const types = read(sent, 'compute.instanceTypes')
  const present = (name: string) => isObject(types) && Object.hasOwn(types, name) && (creating || types[name] !== null)
  if (present('resourceRequirements') && present('spot')) {
    const message = '"value" contains a conflict between exclusive peers [resourceRequirements, spot]'
    found.push({ message, field })
  }
  return found
}
