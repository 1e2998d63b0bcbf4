import type { ProblemError } from '../../problems.js'
import type { Standing } from '../change.js'
import { breach } from '../locations.js'
import { placesOf, quoted, textOf, type Path, type Place } from '../places.js'

/** Local zones, too, begin with the name of their region: `us-west-2-lax-1a`. */
const liesIn = (zone: string, region: string) => zone.startsWith(region) && /^[a-z-]/.test(zone.slice(region.length))

export function regions (allowed: string[], { after, accountRegion, locate }: Standing): ProblemError[] {
  const only = `only ${allowed.join(', ')} ${allowed.length > 1 ? 'are' : 'is'} allowed`
  const say = (path: Path, words: string) => breach(locate(path), 'regions', `${words}, and ${only}`)
  const named = placesOf(after, 'region')
  const zones = [
    ...placesOf(after, 'compute.availabilityZones[].name'), ...placesOf(after, 'compute.preferredAvailabilityZones[]')
  ]
  const judged = (places: Place[], passes: (text: string) => boolean) => places.flatMap((place) => {
    const text = textOf(place)
    if (text === undefined) return [say(place.path, 'is no text, so it can not be judged')]
    return passes(text) ? [] : [say(place.path, `is ${quoted(text)}`)]
  })
  if (named.length === 0 && zones.length === 0) {
    if (accountRegion === undefined) return [say(['region'], 'has to be set')]
    const words = `is not set, so that of the account counts, ${accountRegion}`
    return allowed.includes(accountRegion) ? [] : [say(['region'], words)]
  }
  return [
    ...judged(named, (region) => allowed.includes(region)),
    ...judged(zones, (zone) => allowed.some((region) => liesIn(zone, region)))
  ]
}
