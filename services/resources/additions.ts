import type { components } from '../../openapi/types.js'
import { Problem } from '../problems/index.js'
import { withTags, type Tagged } from './tags.js'

type Schemas = components['schemas']

const ORGANIZATION_TAG = 'spinup:org'

/** The body of a create with the tag `spinup:org`, unless it has one already. Nothing else changes. */
export function withOrganizationTag<T extends Tagged<Schemas['Tag'][] | null>> (
  body: T, value: string | undefined
): T {
  const tags = body.compute?.launchSpecification?.tags ?? []
  if (value === undefined || tags.some((tag) => tag?.tagKey === ORGANIZATION_TAG)) return body
  return withTags(body, [...tags, { tagKey: ORGANIZATION_TAG, tagValue: value }])
}

/**
 * The body of a managed instance's create with the account's VPC, unless it has one.
 *
 * @throws {Problem} invalid-request when the VPC or the subnets, which Spot requires, are missing
 */
export function withDefaultVpc (
  body: Schemas['ManagedInstanceCreate'],
  defaultVPC: string | undefined
): Schemas['ManagedInstanceCreate'] {
  const compute = body.compute ?? {}
  const vpcId = compute.vpcId ?? defaultVPC
  const missing = [
    ...vpcId == null ? [{ pointer: '#/compute/vpcId', message: 'is required: this account has no defaultVPC' }] : [],
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
