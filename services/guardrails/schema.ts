/** Rules of one account, or tighter ones of one client. What is not set is not limited. */
export interface Guardrails {
  /**
   * The most that a group may be told to run, in what its `capacity.unit` counts: instances, or weight as it stands.
   * Holds for target, minimum and maximum wherever they are set: capacity, scheduled tasks, scaling policies. A managed
   * instance counts 1.
   */
  maxCapacity?: number
  /** AWS regions, spelt out (`us-east-1`). A zone belongs to the region that its name begins with. */
  regions?: string[]
  /** Globs of EC2 instance types, such as `t3.*` or `m?.large`: `*` is any text, also none, `?` one character. */
  instanceTypes?: string[]
  /** Operating systems in Spot's words (`Linux/UNIX`). ` (Amazon VPC)` at the end makes no difference. */
  products?: string[]
  /**
   * Tags that every resource has to carry: `key`, with whatever value, or `key=value`. The key is taken literally and
   * ends at the first `=`; the value is a glob, so `owner=?*` is one that is not empty.
   */
  requiredTags?: string[]
  /**
   * Tags, spelt as in `requiredTags`. A resource that carries one of them can not be deleted, paused or scaled to zero,
   * loses no volume, and keeps the tag.
   */
  protectedTags?: string[]
  /** Whether nothing may run on demand. */
  spotOnly?: boolean
  /** Tags by key that a create gets, where the body has not that key. */
  tags?: Record<string, string>
}

const list = (items: object) => ({ type: 'array', items, minItems: 1, uniqueItems: true })
const tag = { type: 'string', pattern: '^[^=]+(=.*)?$' }

/** JSON Schema of {@link Guardrails}. Empty lists are refused: nobody can tell whether they allow nothing or all. */
export const guardrailsSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    maxCapacity: { type: 'integer', minimum: 0 },
    regions: list({ type: 'string', pattern: '^[a-z]+(-[a-z]+)+-[0-9]+$' }),
    instanceTypes: list({ type: 'string', pattern: '^[A-Za-z0-9.*?-]+$' }),
    products: list({ type: 'string', minLength: 1 }),
    requiredTags: list(tag),
    protectedTags: list(tag),
    spotOnly: { type: 'boolean' },
    tags: {
      type: 'object',
      // AWS: 128 and 256 characters at most, and `aws:` is its own.
      propertyNames: { minLength: 1, maxLength: 128, not: { pattern: '^aws:' } },
      additionalProperties: { type: 'string', maxLength: 256 }
    }
  }
}
