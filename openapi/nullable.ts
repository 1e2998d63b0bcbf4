import { document } from './document.js'

interface Reference { $ref: string }
interface Nullable { nullable: true, allOf: [Reference] }

const PREFIX = '#/components/schemas/'
/** No component of the document is called so: names there are of letters and digits. */
const OR_NULL = '-or-null'

/**
 * The document's schemas as Ajv takes them, which knows `nullable` only beside `type`. `nullable: true, allOf: [$ref]`,
 * which generators of clients take best, is a reference to a copy that may be null, so errors stay those of one schema.
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
