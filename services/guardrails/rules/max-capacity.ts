import type { ProblemError } from '../../problems/index.js'
import type { JsonPath } from '../../problems/pointer.js'
import { capacitiesOf } from '../capacities.js'
import type { ResultingChange } from '../change.js'
import { breach, breachesAt } from '../locations.js'
import { amountOf, valuesOf } from '../values.js'

const MAXIMUM = ['capacity', 'maximum']

export function maxCapacity (most: number, { resource, after, within = [], locate }: ResultingChange): ProblemError[] {
  const allowed = `at most ${most} is allowed`
  const say = (path: JsonPath, words: string) => [breach(locate(path), 'maxCapacity', words)]
  if (resource === 'managedInstance') return most < 1 ? say([], `is one instance, and ${allowed}`) : []

  const changed = (path: JsonPath) => within.every((step, i) => path[i] === step)
  const values = capacitiesOf(after).filter(({ path }) => changed(path))
  const endless = changed(MAXIMUM) && valuesOf(after, MAXIMUM.join('.')).length === 0
  return [
    ...endless ? say(MAXIMUM, `must be set, as ${allowed}`) : [],
    ...breachesAt(values, locate, 'maxCapacity', ({ value, fits }) => {
      const amount = fits ? amountOf(value) : undefined
      if (amount === undefined) return `must be a number, and ${allowed}`
      return amount > most ? `is ${amount}, and ${allowed}` : undefined
    })
  ]
}
