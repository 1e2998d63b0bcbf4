import type { components } from '../openapi/types.js'
import type { Answer, Marked } from './idempotency/index.js'
import { Problem } from './problems.js'

type Schemas = components['schemas']
type Tagged = { compute?: { launchSpecification?: { tags?: Schemas['Tag'][] | null } | null } | null }

const ORGANIZATION_TAG = 'spinup:org'
const MARKER_TAG = 'spot-api:idempotency-key'

/** What of a create is tagged: nothing where it is undefined. */
export interface Tags {
  /** The tag `spinup:org`, unless the body has one. */
  organization: string | undefined
  /** The tag by which a create with an Idempotency-Key is found again. */
  marker: string | undefined
}

/** The body of a create with the tags it has not. Nothing else changes. */
export function withTags<T extends Tagged> (body: T, { organization, marker }: Tags): T {
  const tags = body.compute?.launchSpecification?.tags ?? []
  const has = (key: string) => tags.some((tag) => tag?.tagKey === key)
  const added = [
    ...organization === undefined || has(ORGANIZATION_TAG)
      ? []
      : [{ tagKey: ORGANIZATION_TAG, tagValue: organization }],
    ...marker === undefined ? [] : [{ tagKey: MARKER_TAG, tagValue: marker }]
  ]
  if (added.length === 0) return body
  return {
    ...body,
    compute: {
      ...body.compute,
      launchSpecification: { ...body.compute?.launchSpecification, tags: [...tags, ...added] }
    }
  }
}

/** The answers to creates by the marker on what they made; an answer is made by `answer`. */
export function byMarker<T extends Tagged> (resources: T[], answer: (resource: T) => Answer): Marked {
  const marked: Marked = new Map()
  for (const resource of resources) {
    for (const tag of resource.compute?.launchSpecification?.tags ?? []) {
      if (tag?.tagKey !== MARKER_TAG || typeof tag.tagValue !== 'string') continue
      marked.set(tag.tagValue, [...marked.get(tag.tagValue) ?? [], answer(resource)])
    }
  }
  return marked
}

/**
 * The body of a managed instance's create with the account's VPC, where the body names none.
 *
 * @throws {Problem} invalid-request when neither the body nor the account names the VPC and subnets Spot requires
 */
export function withDefaultVpc (
  body: Schemas['ManagedInstanceCreate'],
  defaultVPC: string | undefined
): Schemas['ManagedInstanceCreate'] {
  const compute = body.compute ?? {}
  const vpcId = compute.vpcId ?? defaultVPC
  const missing = [
    ...vpcId == null ? [{ pointer: '#/compute/vpcId', message: 'is required, as this account has no defaultVPC' }] : [],
    ...compute.subnetIds == null ? [{ pointer: '#/compute/subnetIds', message: 'is required' }] : []
  ]
  if (missing.length > 0) {
    throw new Problem('invalid-request', {
      detail: `${missing.map(({ pointer, message }) => `${pointer} ${message}`).join('; ')}.`,
      errors: missing.map((error) => ({ ...error, code: 'required' }))
    })
  }
  return compute.vpcId == null ? { ...body, compute: { ...compute, vpcId } } : body
}
