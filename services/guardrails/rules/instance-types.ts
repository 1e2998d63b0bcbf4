import type { ProblemError } from '../../problems/index.js'
import type { Resource, Standing } from '../change.js'
import { matches } from '../glob.js'
import { breach, breachesAt } from '../locations.js'
import { placesOf, quoted, textOf, type Path } from '../places.js'

const PARENT: Record<Resource, string> = {
  elastigroup: 'compute.instanceTypes',
  managedInstance: 'compute.launchSpecification.instanceTypes'
}

const TYPES: Record<Resource, string[]> = {
  elastigroup: ['ondemand', 'onDemandTypes[]', 'spot[]', 'preferredSpot[]', 'weights[].instanceType'],
  managedInstance: ['types[]', 'preferredType', 'preferredTypes[]']
}

export function instanceTypes (allowed: string[], { resource, after, locate }: Standing): ProblemError[] {
  const only = `and only ${allowed.join(', ')} ${allowed.length > 1 ? 'are' : 'is'} allowed`
  const say = (path: Path, words: string) => breach(locate(path), 'instanceTypes', words)
  const parent = PARENT[resource]
  const types = TYPES[resource].flatMap((name) => placesOf(after, `${parent}.${name}`))
  const requirements = placesOf(after, `${parent}.resourceRequirements`).filter(({ fits }) => fits)
  return [
    ...breachesAt(types, locate, 'instanceTypes', (place) => {
      const text = textOf(place)
      if (text === undefined) return `is no text, so it can not be judged, ${only}`
      return allowed.some((glob) => matches(glob, text)) ? undefined : `is ${quoted(text)}, ${only}`
    }),
    ...requirements.map(({ path }) => say(path, `leaves the types to Spot, ${only}: name them instead`)),
    ...types.length + requirements.length === 0 ? [say(parent.split('.'), `names no type, ${only}`)] : []
  ]
}
