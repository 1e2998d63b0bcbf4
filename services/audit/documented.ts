import { resolve } from '../../openapi/document.js'
import type { JsonPath } from '../problems/pointer.js'
import { isObject } from '../resources/json.js'

interface Schema {
  $ref?: string
  properties?: Record<string, Schema>
  items?: Schema
  allOf?: Schema[]
  anyOf?: Schema[]
}

/** Paths that are found at most: those of a thousand managed instances and their states. */
const MOST = 2000

/**
 * Where the values of a body are that its schema names. What is in no list comes first, then the first entry of each
 * list, and so on: no list hides another, however long.
 */
export function documentedPaths (body: unknown, schema: object): JsonPath[] {
  const found: { path: JsonPath, rank: number }[] = []
  const path: (string | number)[] = []

  function look (value: unknown, all: Schema[], rank: number) {
    const schemas = all.flatMap(partsOf)
    if (Array.isArray(value) && value.length > 0) {
      const items = schemas.flatMap(({ items }) => items ?? [])
      if (items.length > 0) value.slice(0, MOST).forEach((item, i) => enter(i, item, items, Math.max(rank, i)))
    } else if (isObject(value) && Object.keys(value).length > 0) {
      for (const { properties = {} } of schemas) {
        for (const [name, inner] of Object.entries(properties)) {
          if (Object.hasOwn(value, name)) enter(name, value[name], [inner], rank)
        }
      }
    } else found.push({ path: [...path], rank })
  }

  function enter (step: string | number, value: unknown, schemas: Schema[], rank: number) {
    path.push(step)
    look(value, schemas, rank)
    path.pop()
  }

  look(body, [schema], -1)
  return found.sort((one, other) => one.rank - other.rank).slice(0, MOST).map(({ path }) => path)
}

/** A schema and its parts. The validator knows components under an id of its own. */
function partsOf (schema: Schema): Schema[] {
  const resolved = schema.$ref === undefined ? schema : resolve<Schema>({ $ref: schema.$ref.replace(/^[^#]*/, '') })
  const { allOf = [], anyOf = [] } = resolved
  return [resolved, ...[...allOf, ...anyOf].flatMap(partsOf)]
}
