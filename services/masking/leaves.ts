import { maskOf } from './secrets.js'

/** Where in a JSON value something stands: names and indices, from the outside in. */
export type Place = readonly (string | number)[]

/** @param mask what has to stand in place of the leaf if it is a string, because it is a secret */
type Visit = (leaf: unknown, place: Place, mask: string | undefined) => void

/** Visits everything in a JSON value that has nothing below it, in order; empty objects and lists are leaves, too. */
export function visitLeaves (value: unknown, visit: Visit): void {
  // One list for all places: a body may have half a million leaves, and few of their places are asked for.
  const place: (string | number)[] = []

  function look (value: unknown, mask: string | undefined): void {
    if (typeof value !== 'object' || value === null) return visit(value, place, mask)
    if (Array.isArray(value)) {
      if (value.length === 0) return visit(value, place, mask)
      for (const [index, item] of value.entries()) step(index, item, mask)
      return
    }
    const names = Object.keys(value)
    if (names.length === 0) return visit(value, place, mask)
    for (const name of names) step(name, (value as Record<string, unknown>)[name], mask ?? maskOf(name))
  }

  function step (to: string | number, value: unknown, mask: string | undefined): void {
    place.push(to)
    look(value, mask)
    place.pop()
  }

  look(value, undefined)
}

/** A place as a JSON pointer in a URI fragment (RFC 6901, section 6). */
export function pointerTo (place: Place): string {
  const tokens = place.map((name) => `/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`)
  // Half a surrogate pair is a name that JSON can have and a URI can not.
  return `#${encodeURI(Buffer.from(tokens.join('')).toString())}`
}
