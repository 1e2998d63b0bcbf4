import type { Path } from '../../call.js'
import { isReserved } from '../../segments.js'

/** Names of the stamps that a read depends on. A list is about all resources of its noun. */
export function readBy (identity: string, path: Path): string[] {
  const { list, all, one } = namesOf(identity, path)
  return one === undefined ? [list] : [all, one]
}

/** Names of the stamps that a write renews: those of one resource, or of all, and of the list in any case. */
export function writtenBy (identity: string, path: Path): string[] {
  const { list, all, one } = namesOf(identity, path)
  return [list, one ?? all]
}

function namesOf (identity: string, [, , noun, resource]: Path) {
  const list = `${identity} ${noun}`
  // Spot's own operations change many resources, or make one.
  const isOne = resource !== undefined && !isReserved(resource)
  return { list, all: `${list} *`, one: isOne ? `${list} ${resource}` : undefined }
}
