import { stepsOf } from '../problems/pointer.js'
import type { ConfigurationFault } from './error.js'

/** A copy without what is at the locations of the faults. In a list, `{}` stands in for it: the others keep theirs. */
export function pruned<T extends object> (value: T, faults: readonly ConfigurationFault[]): T {
  const copy = structuredClone(value)
  for (const { pointer } of faults) {
    const steps = stepsOf(pointer)
    const last = steps.pop() ?? ''
    const parent = steps.reduce<unknown>((at, step) => (at as Record<string, unknown> | undefined)?.[step], copy)
    if (Array.isArray(parent)) parent[Number(last)] = {}
    else if (typeof parent === 'object' && parent !== null) delete (parent as Record<string, unknown>)[last]
  }
  return copy
}
