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
 * @throws {Problem} invalid-request for an impossible date
 */
export function filterOf ({ name, tag = [], createdAfter, createdBefore }: Filters): (summary: Summary) => boolean {
  const after = createdAfter === undefined ? -Infinity : momentOf(createdAfter, 'createdAfter').time
  const before = createdBefore === undefined ? Infinity : momentOf(createdBefore, 'createdBefore').time
  const byTime = after > -Infinity || before < Infinity

  return (summary) => {
    const created = Date.parse(summary.createdAt ?? '')
    return (name === undefined || matches(name, summary.name ?? '')) &&
      tag.every((wanted) => summary.tags.some(({ tagKey, tagValue }) =>
        tagKey === wanted || `${tagKey}:${tagValue}` === wanted)) &&
      (!byTime || (created >= after && created < before))
  }
}
