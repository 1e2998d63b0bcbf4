import { matches } from '../resources/glob.js'
import { isObject } from '../resources/json.js'
import { withTags } from '../resources/tags.js'
import { valuesOf, valueAt } from './values.js'
import type { Guardrails } from './schema.js'

export const TAGS = ['compute', 'launchSpecification', 'tags']

/** A tag of a resource. A key or a value that is not a string is undefined. */
export interface Tag { key: string | undefined, value: string | undefined }

const text = (value: unknown) => typeof value === 'string' ? value : undefined

/** The tags of a resource. In AWS every tag has a value: a missing one is empty. */
export function tagsOf (resource: unknown): Tag[] {
  return valuesOf(resource, `${TAGS.join('.')}[]`).map(({ value, fits }) => {
    if (!fits || !isObject(value)) return { key: undefined, value: undefined }
    return { key: text(value.tagKey), value: text(value.tagValue ?? '') }
  })
}

/** A tag as a rule writes it: `key`, or `key=` and a glob. */
export function wanted (entry: string): { key: string, glob: string } {
  const at = entry.indexOf('=')
  return at < 0 ? { key: entry, glob: '*' } : { key: entry.slice(0, at), glob: entry.slice(at + 1) }
}

/** Whether a tag certainly matches a rule. */
export function isTag (entry: string, { key, value }: Tag): boolean {
  const { key: name, glob } = wanted(entry)
  return key === name && value !== undefined && matches(glob, value, '?')
}

/** The body of a create with the tags that rules add, where it lacks the key. The earlier of two rules wins. */
export function withGuardrailTags<T extends object> (body: T, guardrails: Guardrails[]): T {
  const present = valueAt(body, TAGS) ?? []
  if (!Array.isArray(present)) return body
  const has = new Set(tagsOf(body).map(({ key }) => key))
  const given = new Map(guardrails.toReversed().flatMap(({ tags = {} }) => Object.entries(tags)))
  const added = [...given].filter(([key]) => !has.has(key)).map(([tagKey, tagValue]) => ({ tagKey, tagValue }))
  return added.length === 0 ? body : withTags(body, [...present, ...added])
}
