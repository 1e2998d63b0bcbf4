import type { ProblemError } from '../../problems/index.js'
import type { Resource, Standing } from '../change.js'
import { breach } from '../locations.js'
import { placesOf, type Path } from '../places.js'

interface Demand {
  name: string
  /** The only value that keeps off on-demand instances; undefined: none does. */
  only: unknown
  /** What Spot takes where nothing is set, if that is another value. Source: vendor OpenAPI. */
  unless?: unknown
}

const fallback: Demand = { name: 'fallbackToOd', only: false, unless: true }

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
 * Reserved instances and savings plans (`utilizeReservedInstances`, `utilizeCommitments`) are paid already, and types
 * named for on-demand instances launch none: neither is a breach.
 */
export function spotOnly (on: boolean, { resource, after, locate }: Standing): ProblemError[] {
  if (!on) return []
  return DEMANDS[resource].flatMap(({ name, only, unless }) => {
    const [place] = placesOf(after, `strategy.${name}`)
    const say = (path: Path, words: string) => [breach(locate(path), 'spotOnly', words)]
    const needed = only === undefined ? 'must not be set' : `must be ${only}`
    if (place === undefined) {
      return unless === undefined ? [] : say(['strategy', name], `${needed}, and is ${unless} unless set: set it`)
    }
    if (!place.fits) return say(place.path, 'is no object, so it can not be judged')
    if (only !== undefined && place.value === only) return []
    return say(place.path, `${needed}, so that nothing runs on demand`)
  })
}
