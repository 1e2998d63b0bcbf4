import type { components } from '../../openapi/types.js'
import { matches } from './glob.js'
import { momentOf } from './moments.js'

type Schemas = components['schemas']
type Summary = Pick<Schemas['ElastigroupSummary'], 'name' | 'tags' | 'createdAt'>

export interface Filters {
  name?: string
  tag?: string[]
  createdAfter?: string
  createdBefore?: string
}

/**
 * Whether a summary passes all filters. A tag filter is `key` or `key:value`; keys may contain colons themselves.
 *
 * @param shown a text as callers may see it: a filter must not tell what is masked
 * @throws {Problem} invalid-request for an impossible date
 */
export function filterOf (
  { name, tag = [], createdAfter, createdBefore }: Filters, shown: (text: string) => string
): (summary: Summary) => boolean {
  const after = createdAfter === undefined ? -Infinity : momentOf(createdAfter, 'createdAfter').time
  const before = createdBefore === undefined ? Infinity : momentOf(createdBefore, 'createdBefore').time
  const byTime = after > -Infinity || before < Infinity

  return (summary) => {
    const created = Date.parse(summary.createdAt ?? '')
    return (name === undefined || matches(name, shown(summary.name ?? ''))) &&
      tag.every((wanted) => summary.tags.some(({ tagKey, tagValue }) =>
        tagKey === wanted || shown(`${tagKey}:${tagValue}`) === wanted)) &&
      (!byTime || (created >= after && created < before))
  }
}
