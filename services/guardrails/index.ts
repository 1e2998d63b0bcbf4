import { distinct } from '../problems/distinct.js'
import type { ProblemError } from '../problems/index.js'
import type { JsonObject } from '../resources/json.js'
import type { Account } from '../spot/account.js'
import type { Attempt, Operation, Resource } from './change.js'
import { operations } from './changes.js'
import { breaches, sets } from './judge.js'
import { MOST_ERRORS } from './locations.js'
import type { Guardrails } from './schema.js'

export { guardrailsSchema, type Guardrails } from './schema.js'
export { withGuardrailTags } from './tags.js'

/** The reads that judging needs. */
export type Reader = Pick<Account, 'elastigroups' | 'managedInstances'>

/** Whether judging a request needs the present state of a resource, which is a call to Spot. */
export function needsPresent (attempt: Attempt): boolean {
  const operation = operations[attempt.operationId]
  return operation !== undefined && idsOf(operation, attempt).length > 0
}

/**
 * Where a request would breach the rules; empty when it may pass. Only reads are sent, and only when a rule needs them.
 *
 * @param spot the account, for this request; it must read fresh, as its answers are taken for the present state
 * @throws {SpotError} when the present state cannot be read, `not-found` when there is no such resource
 */
export async function judge ({ spot, ...attempt }: Attempt & { spot: Reader }): Promise<ProblemError[]> {
  const operation = operations[attempt.operationId]
  if (!operation || !attempt.rules.some((rules) => sets(rules, operation.judged))) return []
  const present = await read(spot, operation.resource, idsOf(operation, attempt))
  const found = operation.changes(attempt, present)
    .flatMap((change) => attempt.rules.flatMap((rules: Guardrails) => breaches(rules, change)))
  return distinct(found).slice(0, MOST_ERRORS)
}

function idsOf ({ present }: Operation, attempt: Attempt): string[] {
  if (!present || !attempt.rules.some((rules) => sets(rules, present.rules))) return []
  return [...new Set(present.ids(attempt))]
}

async function read (spot: Reader, resource: Resource, ids: string[]): Promise<Map<string, JsonObject>> {
  const noun = resource === 'elastigroup' ? spot.elastigroups : spot.managedInstances
  // One list instead of many reads, which would use up Spot's rate limit.
  const listed = ids.length > 1 ? await noun.list() : []
  const known = new Map(listed.map((found) => [found.id, found]))
  const found = ids.map(async (id): Promise<[string, JsonObject]> => [id, known.get(id) ?? await noun.get(id)])
  return new Map(await Promise.all(found))
}
