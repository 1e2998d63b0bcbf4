import type { JsonObject } from '../resources/json.js'

/** Rules of an account, or further ones of a client. What is not set is not limited. */
export interface Guardrails {
  /**
   * Highest capacity of a group, in its `capacity.unit`: instances or weight. It limits target, minimum and maximum
   * wherever they are set: capacity, scheduled tasks, scaling policies. A managed instance counts as 1.
   */
  maxCapacity?: number
  /** AWS regions (`us-east-1`). A zone belongs to the region that its name begins with. */
  regions?: string[]
  /** Globs of EC2 instance types, such as `t3.*` or `m?.large`: `*` is any text, also none, `?` one character. */
  instanceTypes?: string[]
  /** Operating systems as Spot names them (`Linux/UNIX`). ` (Amazon VPC)` at the end is ignored. */
  products?: string[]
  /**
   * Tags that every resource must have: `key`, with any value, or `key=value`. The key is literal and ends at the
   * first `=`; the value is a glob, so `owner=?*` requires a value that is not empty.
   */
  requiredTags?: string[]
  /**
   * Tags, written as in `requiredTags`. A resource with one of them cannot be deleted, paused or scaled to zero, and
   * keeps its volumes and the tag.
   */
  protectedTags?: string[]
  /** Whether on-demand instances are forbidden. */
  spotOnly?: boolean
  /** JSON Schemas (draft-07) that a resource must satisfy: what is judged is all that would stand. */
  schema?: { elastigroup?: JsonObject, managedInstance?: JsonObject }
  /** Tags that are added to creates without a tag of that key. */
  tags?: Record<string, string>
}

const list = (items: object) => ({ type: 'array', items, minItems: 1, uniqueItems: true })
export const REGION = '^[a-z]+(-[a-z]+)+-[0-9]+$'
export const INSTANCE_TYPES = '^[A-Za-z0-9.*?-]+$'
export const TAG = '^[^=]+(=.*)?$'
const tag = { type: 'string', pattern: TAG }

/** JSON Schema of {@link Guardrails}. Empty lists are refused: they could mean nothing or everything. */
export const guardrailsSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    maxCapacity: { type: 'integer', minimum: 0 },
    regions: list({ type: 'string', pattern: REGION }),
    instanceTypes: list({ type: 'string', pattern: INSTANCE_TYPES }),
    products: list({ type: 'string', minLength: 1 }),
    requiredTags: list(tag),
    protectedTags: list(tag),
    spotOnly: { type: 'boolean' },
    // What is inside is checked when it is compiled.
    schema: {
      type: 'object',
      minProperties: 1,
      additionalProperties: false,
      properties: { elastigroup: { type: 'object' }, managedInstance: { type: 'object' } }
    },
    tags: {
      type: 'object',
      // AWS allows 128 and 256 characters, and reserves `aws:`.
      propertyNames: { minLength: 1, maxLength: 128, not: { pattern: '^aws:' } },
      additionalProperties: { type: 'string', maxLength: 256 }
    }
  }
}
