/** A JSON object as received. */
export type JsonObject = { [key: string]: unknown }

/** Whether `value` is a JSON object: neither null nor an array. */
export function isObject (value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The value at `path` (`'compute.launchSpecification.imageId'`), or undefined if a parent is not an object. */
export function read (value: unknown, path: string): unknown {
  let found = value
  for (const key of path.split('.')) {
    if (!isObject(found) || !Object.hasOwn(found, key)) return undefined
    found = found[key]
  }
  return found
}

/** The string at `path`, or undefined when there is none. */
export function readString (value: unknown, path: string): string | undefined {
  const found = read(value, path)
  return typeof found === 'string' ? found : undefined
}

/** The number at `path`, or undefined when there is none. */
export function readNumber (value: unknown, path: string): number | undefined {
  const found = read(value, path)
  return typeof found === 'number' ? found : undefined
}

/** The strings of the array at `path`; an empty array when there is none. */
export function readStrings (value: unknown, path: string): string[] {
  const found = read(value, path)
  return Array.isArray(found) ? found.filter((item): item is string => typeof item === 'string') : []
}

/** The boolean at `path`, or undefined when there is none. */
export function readBoolean (value: unknown, path: string): boolean | undefined {
  const found = read(value, path)
  return typeof found === 'boolean' ? found : undefined
}

/** The objects of the array at `path`; an empty array when there is none. */
export function readObjects (value: unknown, path: string): JsonObject[] {
  const found = read(value, path)
  return Array.isArray(found) ? found.filter(isObject) : []
}
