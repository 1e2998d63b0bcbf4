export type JsonObject = { [key: string]: unknown }
export type Path = readonly (string | number)[]

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A value in a resource. It does not fit when it stands where an object or an array should be. */
export interface Place { path: Path, value: unknown, fits: boolean }

/** Every value that a pattern such as `scaling.up[].action.target` leads to. Null is no value. */
export function placesOf (resource: unknown, pattern: string): Place[] {
  return walk(resource, pattern.replaceAll('[]', '.[]').split('.'), [])
}

function walk (value: unknown, [step, ...rest]: string[], path: Path): Place[] {
  if (value === null || value === undefined) return []
  if (step === undefined) return [{ path, value, fits: true }]
  if (step === '[]' && Array.isArray(value)) return value.flatMap((item, i) => walk(item, rest, [...path, i]))
  if (step !== '[]' && isObject(value)) {
    return Object.hasOwn(value, step) ? walk(value[step], rest, [...path, step]) : []
  }
  return [{ path, value, fits: false }]
}

/** The value at a path, or undefined where there is none. */
export function valueAt (resource: unknown, path: Path): unknown {
  let value = resource
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined
    value = (value as JsonObject)[step]
  }
  return value
}

/** The text at a place, or undefined when it is anything else. */
export const textOf = ({ value, fits }: Place): string | undefined =>
  fits && typeof value === 'string' ? value : undefined

/** A number, also one that is written as text, as policies may have it; undefined when it is anything else. */
export function amountOf (value: unknown): number | undefined {
  if (typeof value === 'number' && !Number.isNaN(value)) return value
  return typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : undefined
}

/** A text of the caller's in a message: not longer than is of use. */
export const quoted = (text: string): string => text.length > 60 ? `${text.slice(0, 60)}…` : text
