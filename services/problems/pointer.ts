/** A location in a JSON value: names and indices, from the outside in. */
export type JsonPath = readonly (string | number)[]

/** A path as a JSON pointer (RFC 6901): `/accounts/a~1b`. */
export const jsonPointer = (path: JsonPath): string =>
  path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')

/** The steps of a JSON pointer. */
export const stepsOf = (pointer: string): string[] =>
  pointer.split('/').slice(1).map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))

/**
 * A JSON pointer as a URI fragment (RFC 6901, section 6). Half a surrogate pair, which JSON can have and a URI cannot,
 * is replaced.
 */
export const fragmentOf = (pointer: string): string =>
  `#${encodeURI(Buffer.from(pointer).toString()).replaceAll('#', '%23')}`

/** A path as a JSON pointer in a URI fragment: `#/capacity/target`. */
export const pointerTo = (path: JsonPath): string => fragmentOf(jsonPointer(path))
