import type { ProblemError } from '../problems/index.js'
import type { JsonObject, Path, Place } from './places.js'

/** Where the caller finds a place of the resource: in the request, or in what stands now. */
export interface Location {
  at: Pick<ProblemError, 'pointer' | 'parameter'>
  /** Whether the request leaves the place as it is. */
  stands: boolean
  /** How what is said about it begins and ends. */
  says?: string
  note?: string
}

export type Locate = (path: Path) => Location

const pointer = (path: Path) => ({ pointer: ['#', ...path].join('/') })

/**
 * Finds places in a body.
 *
 * @param below the place of the resource where the body stands
 * @param updates whether there is something that the body leaves as it is
 */
export const inBody = (body: JsonObject, updates: boolean, below: Path = []): Locate => (path) => {
  const inside = path.slice(below.length)
  let value: unknown = body
  for (const [i, step] of inside.entries()) {
    // Whatever is no object, null above all, decides about all there is below it.
    if (typeof value !== 'object' || value === null) return { at: pointer(inside.slice(0, i)), stands: false }
    if (Object.hasOwn(value, step)) value = (value as JsonObject)[step]
    else if (updates) return { at: pointer(path), stands: true, note: ' (it stands so now)' }
    else break
  }
  return { at: pointer(inside), stands: false }
}

/** Finds places in a body that has some of them, elsewhere than the resource. The note is about the others. */
export const renamed = (names: [from: Path, to: Path][], note: string): Locate => (path) => {
  const name = names.find(([from]) => from.every((step, i) => path[i] === step))
  if (name) return { at: pointer([...name[1], ...path.slice(name[0].length)]), stands: false }
  return { at: pointer([]), stands: false, ...path.length > 0 && { says: `${path.join('.')} `, note } }
}

/** Whatever comes of the request is due to this place. */
export const always = (at: Location['at'], says?: string): Locate => () => ({ at, stands: false, says })

/** What is wrong at a place, in words that can follow its name. */
export const breach = ({ at, says = '', note = '' }: Location, code: string, words: string): ProblemError =>
  ({ ...at, code, message: `${says}${words}${note}` })

/** Errors that are told at most: enough to work with, and a hostile body neither takes long nor makes a long answer. */
export const MOST_ERRORS = 20

/** What is wrong at each of these, in words; undefined where nothing is. */
export function breachesAt (
  places: Place[], locate: Locate, code: string, wrong: (place: Place) => string | undefined
): ProblemError[] {
  const found: ProblemError[] = []
  for (const place of places) {
    if (found.length === MOST_ERRORS) break
    const words = wrong(place)
    if (words !== undefined) found.push(breach(locate(place.path), code, words))
  }
  return found
}
