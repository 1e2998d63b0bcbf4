import type { ProblemError } from '../problems/index.js'
import type { Change, RuleName, Standing } from './change.js'
import { instanceTypes } from './rules/instance-types.js'
import { maxCapacity } from './rules/max-capacity.js'
import { products } from './rules/products.js'
import { protectedTags } from './rules/protected-tags.js'
import { regions } from './rules/regions.js'
import { requiredTags } from './rules/required-tags.js'
import { spotOnly } from './rules/spot-only.js'
import type { Guardrails } from './schema.js'

type Rules = { [Name in RuleName]: (limit: NonNullable<Guardrails[Name]>, change: Standing) => ProblemError[] }

const judges: Rules = { maxCapacity, regions, instanceTypes, products, requiredTags, protectedTags, spotOnly }

/** Whether a set of rules has something to say about one of these. */
export const sets = (rules: Guardrails, names: RuleName[]): boolean =>
  names.some((name) => rules[name] !== undefined && rules[name] !== false)

/** Where a change breaches the rules, one entry a place. The code is the name of the rule. Nothing is changed. */
export function breaches (rules: Guardrails, change: Change): ProblemError[] {
  return distinct(change.judged.flatMap((name) => {
    const limit = rules[name]
    const judge = judges[name] as (limit: unknown, change: Change) => ProblemError[]
    return limit === undefined ? [] : judge(limit, change)
  }))
}

/** What two patterns, or two sets of rules, find at the same place in the same words is said once. */
export const distinct = (errors: ProblemError[]): ProblemError[] =>
  [...new Map(errors.map((error) => [JSON.stringify(error), error])).values()]
