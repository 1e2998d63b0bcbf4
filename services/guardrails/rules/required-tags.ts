import type { ProblemError } from '../../problems/index.js'
import type { Standing } from '../change.js'
import { breach } from '../locations.js'
import { isTag, TAGS, tagsOf, wanted } from '../tags.js'

export function requiredTags (required: string[], { after, locate }: Standing): ProblemError[] {
  const tags = tagsOf(after)
  const lacking = required.filter((entry) => {
    // A key that stands twice counts once, nobody knows which: each has to do.
    const own = tags.filter(({ key }) => key === wanted(entry).key)
    return own.length === 0 || !own.every((tag) => isTag(entry, tag))
  })
  return lacking.length === 0 ? [] : [breach(locate(TAGS), 'requiredTags', `must have ${lacking.join(', ')}`)]
}
