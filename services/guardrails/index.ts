import { distinct } from '../problems/distinct.js'
import { Problem, type ProblemError } from '../problems/index.js'
import type { JsonObject } from '../resources/json.js'
import type { Account } from '../spot/account.js'
import type { Attempt, Operation } from './change.js'
import { operations } from './changes.js'
import { breaches, sets } from './judge.js'
import { MOST_ERRORS } from './locations.js'
import type { Guardrails } from './schema.js'

export { guardrailsSchema, type Guardrails } from './schema.js'
export { compileRule } from './rules/schema.js'
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
 * @throws {Problem} resource-not-found when the list has no such resource
 */
export async function judge ({ spot, ...attempt }: Attempt & { spot: Reader }): Promise<ProblemError[]> {
  const operation = operations[attempt.operationId]
  if (!operation || !attempt.rules.some((rules) => sets(rules, operation.judged))) return []
  const present = await read(spot, operation, attempt)
  const found = operation.changes(attempt, present)
    .flatMap((change) => attempt.rules.flatMap((rules: Guardrails) => breaches(rules, change)))
  return distinct(found).slice(0, MOST_ERRORS)
}

function idsOf ({ present }: Operation, attempt: Attempt): string[] {
  if (!present || !attempt.rules.some((rules) => sets(rules, present.rules))) return []
  return [...new Set(present.ids(attempt))]
}

async function read (spot: Reader, operation: Operation, attempt: Attempt): Promise<Map<string, JsonObject>> {
  const noun = operation.resource === 'elastigroup' ? spot.elastigroups : spot.managedInstances
  const ids = idsOf(operation, attempt)
  const [first] = ids
  if (first === undefined) return new Map()
  if (ids.length === 1) return new Map([[first, await noun.get(first)]])
  // One list, whatever the request asks for: a read for each id would use up Spot's rate limit.
  const present = new Map<string, JsonObject>((await noun.list()).map((found) => [String(found.id), found]))
  const missing = ids.filter((id) => !present.has(id))
  if (missing.length > 0) throw notFound(missing.slice(0, MOST_ERRORS), operation, attempt)
  return present
}

function notFound (ids: string[], { present }: Operation, attempt: Attempt): Problem {
  return new Problem('resource-not-found', {
    detail: `Spot's list has no ${ids.slice(0, 3).join(', ')}.`,
    hint: 'Take the ids that errors names out of the request, or correct them. Nothing was sent.',
    errors: ids.map((id) => ({
      pointer: present?.pointerTo?.(attempt, id) ?? '#', code: 'not-found', message: 'is not in the list of Spot'
    }))
  })
}
