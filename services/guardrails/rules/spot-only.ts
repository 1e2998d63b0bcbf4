import type { ProblemError } from '../../problems/index.js'
import type { JsonPath } from '../../problems/pointer.js'
import type { Resource, ResultingChange } from '../change.js'
import { breach } from '../locations.js'
import { valuesOf } from '../values.js'

interface Demand {
  name: string
  /** The only value without on-demand instances; undefined: there is none. */
  only: unknown
  /** What it is by default, where that is another value, or unknown. Source: vendor OpenAPI. */
  usual?: string
  /** A property that takes its place when it is set. */
  unless?: string
}

const fallback: Demand = { name: 'fallbackToOd', only: false, usual: 'is true by default' }

const DEMANDS: Record<Resource, Demand[]> = {
  elastigroup: [
    { name: 'risk', only: 100, usual: 'Spot documents no default', unless: 'onDemandCount' },
    { name: 'onDemandCount', only: 0 },
    fallback,
    { name: 'considerODPricing', only: false },
    { name: 'immediateODRecoverThreshold', only: undefined } // Spot does not say what its numbers mean
  ],
  managedInstance: [{ name: 'lifeCycle', only: 'spot' }, fallback]
}

/**
 * Reserved instances and savings plans (`utilizeReservedInstances`, `utilizeCommitments`) are paid for already, and
 * listing on-demand types launches none: neither is a breach.
 */
export function spotOnly (on: boolean, { resource, after, locate }: ResultingChange): ProblemError[] {
  if (!on) return []
  return DEMANDS[resource].flatMap(({ name, only, usual, unless }) => {
    const [value] = valuesOf(after, `strategy.${name}`)
    const say = (path: JsonPath, words: string) => [breach(locate(path), 'spotOnly', words)]
    const needed = only === undefined ? 'must not be set' : `must be ${only}`
    if (value === undefined) {
      const replaced = unless !== undefined && valuesOf(after, `strategy.${unless}`).length > 0
      if (usual === undefined || replaced) return []
      return say(['strategy', name], `${needed}, and ${usual}: set it`)
    }
    if (!value.fits) return say(value.path, 'must be in an object')
    if (only !== undefined && value.value === only) return []
    return say(value.path, `${needed}, so that nothing runs on demand`)
  })
}
