import type { ProblemError } from '../../problems/index.js'
import type { Standing } from '../change.js'
import { breach, breachesAt } from '../locations.js'
import { amountOf, placesOf, type Path } from '../places.js'

const under = (above: string, names: string[]) => names.map((name) => `${above}.${name}`)

const ACTION = ['minTargetCapacity', 'maxTargetCapacity', 'target', 'minimum', 'maximum']

/**
 * Wherever a group is told how much to run. Adjustments are not among them: they end at the maximum. Disabled policies
 * and tasks are: the switch may be elsewhere, in Spot's console.
 */
const PLACES = [
  ...under('capacity', ['minimum', 'target', 'maximum']),
  ...under('scheduling.tasks[]', [
    'scaleTargetCapacity', 'scaleMinCapacity', 'scaleMaxCapacity', 'targetCapacity',
    'minCapacity', 'maxCapacity', 'MinCapacity', 'MaxCapacity' // both spellings are Spot's
  ]),
  ...under('scaling', ['up[]', 'down[]', 'target[]']).flatMap((policy) => [
    ...under(policy, ['minTargetCapacity', 'maxTargetCapacity']),
    ...under(`${policy}.action`, ACTION),
    ...under(`${policy}.stepAdjustments[].action`, ACTION)
  ])
]

const MAXIMUM = ['capacity', 'maximum']

export function maxCapacity (most: number, { resource, after, within = [], locate }: Standing): ProblemError[] {
  const allowed = `at most ${most} is allowed`
  const say = (path: Path, words: string) => [breach(locate(path), 'maxCapacity', words)]
  if (resource === 'managedInstance') return most < 1 ? say([], `is one instance, and ${allowed}`) : []

  const changed = (path: Path) => within.every((step, i) => path[i] === step)
  const places = PLACES.flatMap((pattern) => placesOf(after, pattern)).filter(({ path }) => changed(path))
  const endless = changed(MAXIMUM) && placesOf(after, MAXIMUM.join('.')).length === 0
  return [
    ...endless ? say(MAXIMUM, `has to be set, as ${allowed}`) : [],
    ...breachesAt(places, locate, 'maxCapacity', ({ value, fits }) => {
      const amount = fits ? amountOf(value) : undefined
      if (amount === undefined) return `is no number, so it can not be judged, and ${allowed}`
      return amount > most ? `is ${amount}, and ${allowed}` : undefined
    })
  ]
}
