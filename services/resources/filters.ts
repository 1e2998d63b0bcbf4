import type { components } from '../../openapi/types.js'
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
 * Whether a summary passes all filters. A tag filter is `key` or `key:value`; keys themselves may have colons in them.
 *
 * @throws {Problem} invalid-request for a moment there is not
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

/** Whether a text fits a pattern in which `*` stands for anything. Linear in time, unlike a regular expression. */
function matches (pattern: string, text: string): boolean {
  const [first = '', ...rest] = pattern.split('*')
  const last = rest.pop()
  if (last === undefined) return text === first
  if (!text.startsWith(first)) return false
  let at = first.length
  for (const part of rest) {
    const found = text.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return text.length - last.length >= at && text.endsWith(last)
}
