import { distinct } from '../problems/distinct.js'
import type { ProblemError } from '../problems/index.js'
import type { Change, ResultingChange, RuleName } from './change.js'
import { instanceTypes } from './rules/instance-types.js'
import { maxCapacity } from './rules/max-capacity.js'
import { products } from './rules/products.js'
import { protectedTags } from './rules/protected-tags.js'
import { regions } from './rules/regions.js'
import { requiredTags } from './rules/required-tags.js'
import { schema } from './rules/schema.js'
import { spotOnly } from './rules/spot-only.js'
import type { Guardrails } from './schema.js'

type Rules = { [Name in RuleName]: (limit: NonNullable<Guardrails[Name]>, change: ResultingChange) => ProblemError[] }

const judges: Rules = { maxCapacity, regions, instanceTypes, products, requiredTags, protectedTags, spotOnly, schema }

/** Whether any of these rules is set. */
export const sets = (rules: Guardrails, names: RuleName[]): boolean =>
  names.some((name) => rules[name] !== undefined && rules[name] !== false)

/** Where a change breaches the rules, one error a location. The code is the name of the rule. */
export function breaches (rules: Guardrails, change: Change): ProblemError[] {
  return distinct(change.judged.flatMap((name) => {
    const limit = rules[name]
    const judge = judges[name] as (limit: unknown, change: Change) => ProblemError[]
    return limit === undefined ? [] : judge(limit, change)
  }))
}
