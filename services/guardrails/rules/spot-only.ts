import type { ProblemError } from '../../problems/index.js'
import type { JsonPath } from '../../problems/pointer.js'
import type { Resource, ResultingChange } from '../change.js'
import { breach } from '../locations.js'
import { valuesOf } from '../values.js'

interface Demand {
  name: string
  /** The only value without on-demand instances; undefined: there is none. */
  only: unknown
  /** Spot's default, where that is another value. Source: vendor OpenAPI. */
  default?: unknown
}

const fallback: Demand = { name: 'fallbackToOd', only: false, default: true }

const DEMANDS: Record<Resource, Demand[]> = {
  elastigroup: [
    { name: 'risk', only: 100 },
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
  return DEMANDS[resource].flatMap(({ name, only, default: usual }) => {
    const [value] = valuesOf(after, `strategy.${name}`)
    const say = (path: JsonPath, words: string) => [breach(locate(path), 'spotOnly', words)]
    const needed = only === undefined ? 'must not be set' : `must be ${only}`
    if (value === undefined) {
      return usual === undefined ? [] : say(['strategy', name], `${needed}, and is ${usual} by default: set it`)
    }
    if (!value.fits) return say(value.path, 'must be in an object')
    if (only !== undefined && value.value === only) return []
    return say(value.path, `${needed}, so that nothing runs on demand`)
  })
}
