import type { ProblemError } from '../../problems/index.js'
import type { ResultingChange } from '../change.js'
import { breach, breachesAt } from '../locations.js'
import { quoted, textOf, valuesOf, type Value } from '../values.js'

/** Names of local zones, too, begin with their region: `us-west-2-lax-1a`. */
const liesIn = (zone: string, region: string) => zone.startsWith(region) && /^[a-z-]/.test(zone.slice(region.length))

const ZONES = ['compute.availabilityZones[].name', 'compute.preferredAvailabilityZones[]']

export function regions (allowed: string[], { after, accountRegion, locate }: ResultingChange): ProblemError[] {
  const only = `only ${allowed.join(', ')} ${allowed.length > 1 ? 'are' : 'is'} allowed`
  const missing = (words: string) => [breach(locate(['region']), 'regions', `${words}, and ${only}`)]
  const named = valuesOf(after, 'region')
  const zones = ZONES.flatMap((pattern) => valuesOf(after, pattern))
  const judged = (values: Value[], passes: (text: string) => boolean) =>
    breachesAt(values, locate, 'regions', (value) => {
      const text = textOf(value)
      if (text === undefined) return `must be a string, and ${only}`
      return passes(text) ? undefined : `is ${quoted(text)}, and ${only}`
    })
  if (named.length === 0 && zones.length === 0) {
    if (accountRegion === undefined) return missing('must be set')
    const words = `is not set, so the account's region applies (${accountRegion})`
    return allowed.includes(accountRegion) ? [] : missing(words)
  }
  return [
    ...judged(named, (region) => allowed.includes(region)),
    ...judged(zones, (zone) => allowed.some((region) => liesIn(zone, region)))
  ]
}
