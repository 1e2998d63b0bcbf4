import type { Path } from '../../call.js'

/** Where an id stands otherwise: what is there changes many resources, or makes one. */
const many = new Set(['state', 'migration'])

/** Names of the counters that a read depends on. A list is about all resources of its noun. */
export function readBy (identity: string, path: Path): string[] {
  const { list, all, one } = namesOf(identity, path)
  return one === undefined ? [list] : [all, one]
}

/** Names of the counters that a write changes: those of one resource, or of all, and of the list in any case. */
export function writtenBy (identity: string, path: Path): string[] {
  const { list, all, one } = namesOf(identity, path)
  return [list, one ?? all]
}

function namesOf (identity: string, [, , noun, resource]: Path) {
  const list = `${identity} ${noun}`
  const isOne = resource !== undefined && !many.has(resource)
  return { list, all: `${list} *`, one: isOne ? `${list} ${resource}` : undefined }
}
