import type { components } from '../../../openapi/types.js'
import { asQuery } from './elastigroups.js'
import { groupPath } from './paths.js'
import type { Spot } from './spot.js'

type Schemas = components['schemas']
type Roll = Schemas['Roll']

/** Spot's operations on the rolls (deployments) of an Elastigroup, one function each. */
export const rolls = (spot: Spot) => {
  const roll = (group: string, ...rest: string[]) => groupPath(group, 'roll', ...rest)

  return {
    /** The newest first. */
    list: (group: string, limit?: number): Promise<Roll[]> =>
      spot.items('listRolls', 'GET', roll(group), { query: asQuery({ limit, sort: 'createdAt:DESC' }) }),

    create: (group: string, body: object): Promise<Roll> =>
      spot.created('id', 'createRoll', 'PUT', roll(group), { body }),

    get: (group: string, id: string): Promise<Roll> =>
      spot.item('getRoll', 'GET', roll(group, id)),

    stop: (group: string, id: string): Promise<void> =>
      spot.done('stopRoll', 'PUT', roll(group, id), { body: { status: 'STOPPED' }, envelope: 'roll' }),

    /** An empty object when Spot has none yet. */
    async status (group: string, id: string): Promise<Schemas['RollStatus']> {
      const [status] = await spot.items<Schemas['RollStatus']>('getRollStatus', 'GET', roll(group, id, 'status'))
      return status ?? {}
    },

    act: (group: string, id: string, body: object): Promise<Schemas['RollActionResult']> =>
      spot.item('createRollAction', 'POST', roll(group, id, 'action'), { body })
  }
}
