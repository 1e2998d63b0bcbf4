import type { Configuration } from './configuration.js'

export type Schema = { properties?: object, [keyword: string]: unknown }

/** All there is to know of a setting. The schema, the defaults, the reload and the docs come from it. */
export interface Setting {
  /** JSON Schema of its value. */
  schema: Schema
  /** As it would be written in the file. */
  default?: unknown
  required?: true
  /** Whether a reload applies it. All others wait for a restart. */
  live?: true
  /** The property of Configuration that it sets, if its name differs. */
  property?: keyof Configuration
  /** What it does, for docs/configuration.md; a range and the default are added there. */
  doc: string
}

export const name = { type: 'string', pattern: '^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$' }
export const boolean = { type: 'boolean' }
export const string = { type: 'string' }
export const nonEmpty = { type: 'string', minLength: 1 }

/** A string, or a reference to one: `{"env": "NAME"}` or `{"file": "path"}`. */
export const secret = {
  type: ['string', 'object'],
  minLength: 1,
  properties: { env: nonEmpty, file: nonEmpty },
  additionalProperties: false,
  minProperties: 1,
  maxProperties: 1
}

export const numberBetween = (minimum: number, maximum: number) => ({ type: 'number', minimum, maximum })

/** JSON Schema of an object with these settings and no others; `outer.inner` is inside an object of its own. */
export function objectOf (table: Record<string, Setting>): { properties: Record<string, Schema> } {
  const required = Object.entries(table).filter(([, setting]) => setting.required).map(([name]) => name)
  const properties: Record<string, Schema> = {}
  for (const [name, { schema }] of Object.entries(table)) {
    const [outer = '', inner] = name.split('.')
    properties[outer] = inner === undefined
      ? schema
      : { ...EMPTY, properties: { ...properties[outer]?.properties, [inner]: schema } }
  }
  return { ...EMPTY, ...required.length > 0 && { required }, properties }
}

const EMPTY = { type: 'object', additionalProperties: false }
