import type { Locate } from './locations.js'
import type { JsonObject, Path } from './places.js'
import type { Guardrails } from './schema.js'

export type Resource = 'elastigroup' | 'managedInstance'
export type RuleName = Exclude<keyof Guardrails, 'tags'>

/** A request as the contract has let it in. */
export interface Attempt {
  operationId: string
  params: object
  query: object
  body: unknown
  /** Rules that hold for it, all of them. */
  rules: Guardrails[]
  /** Region of the account, where the operator names one. */
  accountRegion?: string | undefined
}

/** What a request does to one resource. */
export interface Change {
  resource: Resource
  /** The rules that it can breach. */
  judged: RuleName[]
  /** What stands now; undefined when it is new, or when no rule asks. */
  before?: JsonObject | undefined
  /** What will stand; undefined when there is no more than a deed to judge. */
  after?: JsonObject | undefined
  /** What is wrong with doing this to a protected resource, where its properties do not show what is done. */
  deed?: string
  /** The only place that changes, with all there is below; the whole resource unless set. */
  within?: Path
  accountRegion?: string | undefined
  locate: Locate
}

/** A change that leaves something to judge. */
export type Standing = Change & { after: JsonObject }

export interface Operation {
  resource: Resource
  judged: RuleName[]
  /** Rules that are judged by what stands now, and of which resources. */
  present?: { rules: RuleName[], ids: (attempt: Attempt) => string[] }
  changes (attempt: Attempt, present: Map<string, JsonObject>): Change[]
}
