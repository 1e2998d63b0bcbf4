import type { ProblemError } from '../../problems/index.js'
import type { Standing } from '../change.js'
import { breach, breachesAt } from '../locations.js'
import { placesOf, quoted, textOf, type Place } from '../places.js'

/** Local zones, too, begin with the name of their region: `us-west-2-lax-1a`. */
const liesIn = (zone: string, region: string) => zone.startsWith(region) && /^[a-z-]/.test(zone.slice(region.length))

export function regions (allowed: string[], { after, accountRegion, locate }: Standing): ProblemError[] {
  const only = `only ${allowed.join(', ')} ${allowed.length > 1 ? 'are' : 'is'} allowed`
  const missing = (words: string) => [breach(locate(['region']), 'regions', `${words}, and ${only}`)]
  const named = placesOf(after, 'region')
  const zones = [
    ...placesOf(after, 'compute.availabilityZones[].name'), ...placesOf(after, 'compute.preferredAvailabilityZones[]')
  ]
  const judged = (places: Place[], passes: (text: string) => boolean) =>
    breachesAt(places, locate, 'regions', (place) => {
      const text = textOf(place)
      if (text === undefined) return `is no text, so it can not be judged, and ${only}`
      return passes(text) ? undefined : `is ${quoted(text)}, and ${only}`
    })
  if (named.length === 0 && zones.length === 0) {
    if (accountRegion === undefined) return missing('has to be set')
    const words = `is not set, so that of the account counts, ${accountRegion}`
    return allowed.includes(accountRegion) ? [] : missing(words)
  }
  return [
    ...judged(named, (region) => allowed.includes(region)),
    ...judged(zones, (zone) => allowed.some((region) => liesIn(zone, region)))
  ]
}
