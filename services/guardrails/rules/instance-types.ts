import type { ProblemError } from '../../problems/index.js'
import type { JsonPath } from '../../problems/pointer.js'
import type { Resource, ResultingChange } from '../change.js'
import { matches } from '../../resources/glob.js'
import { breach, breachesAt } from '../locations.js'
import { quoted, textOf, valuesOf } from '../values.js'

const PARENT: Record<Resource, string> = {
  elastigroup: 'compute.instanceTypes',
  managedInstance: 'compute.launchSpecification.instanceTypes'
}

const TYPES: Record<Resource, string[]> = {
  elastigroup: ['ondemand', 'onDemandTypes[]', 'spot[]', 'preferredSpot[]', 'weights[].instanceType'],
  managedInstance: ['types[]', 'preferredType', 'preferredTypes[]']
}

export function instanceTypes (allowed: string[], { resource, after, locate }: ResultingChange): ProblemError[] {
  const only = `and only ${allowed.join(', ')} ${allowed.length > 1 ? 'are' : 'is'} allowed`
  const say = (path: JsonPath, words: string) => breach(locate(path), 'instanceTypes', words)
  const parent = PARENT[resource]
  const types = TYPES[resource].flatMap((name) => valuesOf(after, `${parent}.${name}`))
  const requirements = valuesOf(after, `${parent}.resourceRequirements`).filter(({ fits }) => fits)
  return [
    ...breachesAt(types, locate, 'instanceTypes', (value) => {
      const text = textOf(value)
      if (text === undefined) return `must be a string, ${only}`
      return allowed.some((glob) => matches(glob, text, '?')) ? undefined : `is ${quoted(text)}, ${only}`
    }),
    ...requirements.map(({ path }) => say(path, `lets Spot choose the types, ${only}: list them instead`)),
    ...types.length + requirements.length === 0 ? [say(parent.split('.'), `lists no type, ${only}`)] : []
  ]
}
