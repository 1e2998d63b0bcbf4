import type { components } from '../../openapi/types.js'
import { asQuery } from './elastigroups.js'
import type { Spot } from './spot.js'

type Schemas = components['schemas']
type Capacity = Schemas['Capacity']

/** Spot's operations on the capacity of an Elastigroup and on what it leaves alone in it. */
export const capacity = (spot: Spot) => {
  const group = (id: string, ...rest: string[]) => ['aws', 'ec2', 'group', id, ...rest]

  return {
    async update (id: string, body: object): Promise<Capacity> {
      const payload = { body, envelope: 'capacity' }
      const item = await spot.item<Capacity & { capacity?: Capacity }>(
        'updateElastigroupCapacity', 'PUT', group(id, 'capacity'), payload)
      return item.capacity ?? item
    },

    scaleUp: (id: string, adjustment: number): Promise<Schemas['ScaleUpResult']> =>
      spot.item('scaleUpElastigroup', 'PUT', group(id, 'scale', 'up'), { query: asQuery({ adjustment }) }),

    scaleDown: (id: string, adjustment: number): Promise<Schemas['ScaleDownResult']> =>
      spot.item('scaleDownElastigroup', 'PUT', group(id, 'scale', 'down'), { query: asQuery({ adjustment }) }),

    detach: (id: string, body: object): Promise<void> =>
      spot.done('detachInstances', 'PUT', group(id, 'detachInstances'), { body }),

    /** An empty object when Spot has none. */
    async suspensions (id: string): Promise<Schemas['Suspensions']> {
      const [item] = await spot.items<Schemas['Suspensions']>('listSuspensions', 'GET', group(id, 'suspension'))
      return item ?? {}
    },

    suspend: (id: string, body: object): Promise<Schemas['Suspensions']> =>
      spot.item('createSuspensions', 'POST', group(id, 'suspension'), { body }),

    resume: (id: string, processes: string[]): Promise<Schemas['Suspensions']> =>
      spot.item('deleteSuspensions', 'DELETE', group(id, 'suspension'), { body: { processes } })
  }
}
