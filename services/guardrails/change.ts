import type { JsonPath } from '../problems/pointer.js'
import type { JsonObject } from '../resources/json.js'
import type { Locate } from './locations.js'
import type { Guardrails } from './schema.js'

export type Resource = 'elastigroup' | 'managedInstance'
export type RuleName = Exclude<keyof Guardrails, 'tags'>

/** A request that matches the contract. */
export interface Attempt {
  operationId: string
  params: object
  query: object
  body: unknown
  /** All rules that apply to it. */
  rules: Guardrails[]
  /** Region of the account, if the operator set one. */
  accountRegion?: string | undefined
}

/** What a request does to one resource. */
export interface Change {
  resource: Resource
  /** The rules that it can breach. */
  judged: RuleName[]
  /** The present resource; undefined when it is new, or when no rule needs it. */
  before?: JsonObject | undefined
  /** The resource after the change; undefined when only `forbidden` matters. */
  after?: JsonObject | undefined
  /** What must not be done to a protected resource, where its properties do not show it: `cannot be deleted`. */
  forbidden?: string
  /** The same for what this server cannot read, so that nobody can tell whether it is protected. */
  unknown?: string
  /** All that is known of the resource after the change; default: all of it. */
  known?: JsonPath[]
  /** The only part that changes; default: the whole resource. */
  within?: JsonPath
  accountRegion?: string | undefined
  locate: Locate
}

/** A change whose result can be judged. */
export type ResultingChange = Change & { after: JsonObject }

export interface Operation {
  resource: Resource
  judged: RuleName[]
  /** Rules that need the present resource, and which resources. */
  present?: {
    rules: RuleName[]
    ids: (attempt: Attempt) => string[]
    /** Where the request names an id, if there can be several. */
    pointerTo?: (attempt: Attempt, id: string) => string
  }
  changes (attempt: Attempt, present: Map<string, JsonObject>): Change[]
}
