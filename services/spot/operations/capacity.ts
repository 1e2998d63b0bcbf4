import type { components } from '../../../openapi/types.js'
import { asQuery, elastigroups } from './elastigroups.js'
import { groupPath } from './paths.js'
import type { Spot } from './spot.js'

type Schemas = components['schemas']
type Capacity = Schemas['Capacity']

/** Spot's operations on the capacity of an Elastigroup and on what it leaves alone in it. */
export const capacity = (spot: Spot) => ({
  async update (id: string, body: object): Promise<Capacity> {
    const payload = { body, envelope: 'capacity' }
    const present = async (fresh: Spot) => (await elastigroups(fresh).get(id)).capacity ?? {}
    const item = await spot.item<Capacity & { capacity?: Capacity }>(
      'updateElastigroupCapacity', 'PUT', groupPath(id, 'capacity'), payload, present)
    return item.capacity ?? item
  },

  scaleUp: (id: string, adjustment: number): Promise<Schemas['ScaleUpResult']> =>
    spot.item('scaleUpElastigroup', 'PUT', groupPath(id, 'scale', 'up'), { query: asQuery({ adjustment }) }),

  scaleDown: (id: string, adjustment: number): Promise<Schemas['ScaleDownResult']> =>
    spot.item('scaleDownElastigroup', 'PUT', groupPath(id, 'scale', 'down'), { query: asQuery({ adjustment }) }),

  detach: (id: string, body: object): Promise<void> =>
    spot.done('detachInstances', 'PUT', groupPath(id, 'detachInstances'), { body }),

  /** An empty object when Spot has none. */
  async suspensions (id: string): Promise<Schemas['Suspensions']> {
    const [item] = await spot.items<Schemas['Suspensions']>('listSuspensions', 'GET', groupPath(id, 'suspension'))
    return item ?? {}
  },

  suspend: (id: string, body: object): Promise<Schemas['Suspensions']> =>
    spot.item('createSuspensions', 'POST', groupPath(id, 'suspension'), { body }),

  /** An empty object when none is left, or an attempt whose answer was lost has resumed them. */
  async resume (id: string, processes: string[]): Promise<Schemas['Suspensions']> {
    const payload = { body: { processes } }
    const [item] = await spot.items<Schemas['Suspensions']>(
      'deleteSuspensions', 'DELETE', groupPath(id, 'suspension'), payload)
    return item ?? {}
  }
})
