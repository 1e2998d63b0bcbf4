import { withTags, type Tagged } from '../resources/tags.js'
import type { Reply } from './record.js'

interface Tag { tagKey?: string | null, tagValue?: string | null }
type Body = Tagged<(Tag | null)[] | null>

const MARKER_TAG = 'spot-api:idempotency-key'

const isMarker = (tag: Tag | null) => tag?.tagKey === MARKER_TAG

/**
 * The body of a create with this marker and no other: a group that was read to be copied brings along the marker of the
 * first. Nothing else changes.
 *
 * @param marker undefined where the create has no Idempotency-Key, or nothing is sent
 */
export function withMarker<T extends Body> (body: T, marker: string | undefined): T {
  const tags = body.compute?.launchSpecification?.tags ?? []
  if (marker === undefined && !tags.some(isMarker)) return body
  const added = marker === undefined ? [] : [{ tagKey: MARKER_TAG, tagValue: marker }]
  return withTags(body, [...tags.filter((tag) => !isMarker(tag)), ...added])
}

/** Resources of one kind by the marker they carry; each as the reply to its create. */
export type Marked = Map<string, Reply[]>

/** @param reply makes the reply to the create of a resource */
export function byMarker<T extends Body> (resources: readonly T[], reply: (resource: T) => Reply): Marked {
  const marked: Marked = new Map()
  for (const resource of resources) {
    const tags = resource.compute?.launchSpecification?.tags?.filter(isMarker) ?? []
    for (const marker of new Set(tags.map((tag) => tag?.tagValue))) {
      if (typeof marker === 'string') marked.set(marker, [...marked.get(marker) ?? [], reply(resource)])
    }
  }
  return marked
}
