import { matches } from './glob.js'
import { isObject, placesOf, valueAt } from './places.js'
import type { Guardrails } from './schema.js'

export const TAGS = ['compute', 'launchSpecification', 'tags']

/** A tag of a resource. A key or a value that is no text is undefined. */
export interface Tag { key: string | undefined, value: string | undefined }

const text = (value: unknown) => typeof value === 'string' ? value : undefined

/** The tags of a resource. AWS knows no tag without value: none is an empty one. */
export function tagsOf (resource: unknown): Tag[] {
  return placesOf(resource, `${TAGS.join('.')}[]`).map(({ value, fits }) => {
    if (!fits || !isObject(value)) return { key: undefined, value: undefined }
    return { key: text(value.tagKey), value: text(value.tagValue ?? '') }
  })
}

/** A tag as a rule spells it: `key`, or `key=` and a glob. */
export function wanted (entry: string): { key: string, glob: string } {
  const at = entry.indexOf('=')
  return at < 0 ? { key: entry, glob: '*' } : { key: entry.slice(0, at), glob: entry.slice(at + 1) }
}

/** Whether a tag is, for sure, one that a rule spells. */
export function isTag (entry: string, { key, value }: Tag): boolean {
  const { key: name, glob } = wanted(entry)
  return key === name && value !== undefined && matches(glob, value)
}

type Tagged = { compute?: { launchSpecification?: { tags?: unknown } | null } | null }

/** The body of a create with the tags that rules give it, where it has not the key. Of two rules the earlier gives. */
export function withGuardrailTags<T extends object> (body: T, guardrails: Guardrails[]): T {
  const present = valueAt(body, TAGS) ?? []
  if (!Array.isArray(present)) return body
  const has = new Set(tagsOf(body).map(({ key }) => key))
  const given = new Map(guardrails.toReversed().flatMap(({ tags = {} }) => Object.entries(tags)))
  const added = [...given].filter(([key]) => !has.has(key)).map(([tagKey, tagValue]) => ({ tagKey, tagValue }))
  if (added.length === 0) return body
  const { compute } = body as Tagged
  return {
    ...body,
    compute: {
      ...compute,
      launchSpecification: { ...compute?.launchSpecification, tags: [...present, ...added] }
    }
  }
}
