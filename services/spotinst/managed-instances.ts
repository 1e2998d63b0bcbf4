import type { components } from '../../openapi/types.js'
import type { CostRange, InstanceDeallocation } from './requests.js'
import type { Spot } from './spot.js'

type Schemas = components['schemas']
type ManagedInstance = Schemas['ManagedInstance']

const root = ['aws', 'ec2', 'managedInstance']

/** Spot's operations on AWS managed instances, one function each. Bodies go and come as they are. */
export const managedInstances = (spot: Spot) => {
  const get = (id: string): Promise<ManagedInstance> =>
    spot.item({ operation: 'getManagedInstance', method: 'GET', path: [...root, id] })

  /** The first item. Spot answers an unknown id with 200 and no items here, so none means: ask whether it exists. */
  async function firstOf<T extends object> (id: string, items: T[]): Promise<T | Record<string, never>> {
    if (items[0]) return items[0]
    await get(id)
    return {}
  }

  return {
    /** Spot's document wraps each one as `{id, createdAt, updatedAt, config}`, its Go SDK reads them flat: both work. */
    async list (): Promise<ManagedInstance[]> {
      const call = { operation: 'listManagedInstances', method: 'GET', path: root } as const
      const listed = await spot.items<ManagedInstance & { config?: ManagedInstance | null }>(call)
      return listed.map(({ config, ...rest }) => config ? { ...config, ...rest } : rest)
    },

    create: (managedInstance: object): Promise<ManagedInstance> =>
      spot.item({ operation: 'createManagedInstance', method: 'POST', path: root, body: { managedInstance } }),

    get,

    update: (id: string, managedInstance: object): Promise<ManagedInstance> =>
      spot.item({ operation: 'updateManagedInstance', method: 'PUT', path: [...root, id], body: { managedInstance } }),

    delete: (id: string, deallocationConfig: InstanceDeallocation): Promise<void> =>
      spot.done({ operation: 'deleteManagedInstance', method: 'DELETE', path: [...root, id], body: { deallocationConfig } }),

    /** An empty object when Spot has no state yet. */
    async status (id: string): Promise<Schemas['ManagedInstanceStatus']> {
      const call = { operation: 'getManagedInstanceStatus', method: 'GET', path: [...root, id, 'status'] } as const
      return firstOf(id, await spot.items<Schemas['ManagedInstanceStatus']>(call))
    },

    /** An empty object when Spot has no costs. */
    async costs (id: string, range: CostRange): Promise<Schemas['Costs']> {
      const path = [...root, id, 'costs']
      const call = { operation: 'getManagedInstanceCosts', method: 'GET', path, query: { ...range } } as const
      return firstOf(id, await spot.items<Schemas['Costs']>(call))
    }
  }
}
