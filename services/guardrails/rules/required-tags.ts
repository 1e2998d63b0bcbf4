import type { ProblemError } from '../../problems/index.js'
import type { ResultingChange } from '../change.js'
import { breach } from '../locations.js'
import { isTag, TAGS, tagsOf, wanted } from '../tags.js'

export function requiredTags (required: string[], { after, locate }: ResultingChange): ProblemError[] {
  const tags = tagsOf(after)
  const lacking = required.filter((entry) => {
    // AWS keeps one of several tags with the same key, nobody knows which: each must match.
    const own = tags.filter(({ key }) => key === wanted(entry).key)
    return own.length === 0 || !own.every((tag) => isTag(entry, tag))
  })
  return lacking.length === 0 ? [] : [breach(locate(TAGS), 'requiredTags', `must have ${lacking.join(', ')}`)]
}
