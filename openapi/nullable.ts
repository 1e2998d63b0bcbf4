import { document } from './document.js'

interface Reference { $ref: string }
interface Nullable { nullable: true, allOf: [Reference] }

const PREFIX = '#/components/schemas/'
/** Ends the name of the copy. No component has such a name: they consist of letters and digits. */
const OR_NULL = '-or-null'

/**
 * The document's schemas for Ajv. Where a component may be null, the document has `nullable: true, allOf: [$ref]`, which
 * client generators handle best. For Ajv the component would still refuse null, so the reference leads to a copy of it
 * that may be null. Errors stay those of one schema, as they would not with `anyOf`.
 */
export function schemasForAjv (): Record<string, object> {
  const nullable = new Set<string>()
  const rewrite = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value
    if (Array.isArray(value)) return value.map(rewrite)
    if (isNullable(value)) {
      const [{ $ref }] = value.allOf
      nullable.add($ref.slice(PREFIX.length))
      return { $ref: $ref + OR_NULL }
    }
    const rewritten: Record<string, unknown> = {}
    for (const name in value) rewritten[name] = rewrite((value as Record<string, unknown>)[name])
    return rewritten
  }
  const schemas = rewrite(document.components.schemas) as Record<string, object>
  for (const name of nullable) schemas[name + OR_NULL] = { ...schemas[name], nullable: true }
  return schemas
}

const isNullable = (value: object): value is Nullable =>
  'allOf' in value && 'nullable' in value && value.nullable === true
