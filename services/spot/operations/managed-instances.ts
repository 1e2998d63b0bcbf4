import type { components } from '../../../openapi/types.js'
import type { Range } from '../../resources/moments.js'
import { amiBackup, type InstanceDeallocation } from './deallocation.js'
import { asQuery, costQuery, type UpdateOptions } from './elastigroups.js'
import { managedInstancePath as pathOf, MANAGED_INSTANCES } from './paths.js'
import type { Spot } from './spot.js'

type Schemas = components['schemas']
type ManagedInstance = Schemas['ManagedInstance']
type Status = Schemas['ManagedInstanceStatus']
type Costs = Schemas['Costs']

export type InstanceAction = 'pause' | 'resume' | 'recycle'

const envelope = 'managedInstance'

/** Spot's operations on AWS managed instances, one function each. Bodies go and come as they are. */
export const managedInstances = (spot: Spot) => {
  const get = (id: string): Promise<ManagedInstance> =>
    spot.item('getManagedInstance', 'GET', pathOf(id))

  /** The first item. Spot answers an unknown id with 200 and no items here, so none means: ask whether it exists. */
  async function firstOf<T extends object> (id: string, items: T[]): Promise<T | Record<string, never>> {
    if (items[0]) return items[0]
    await get(id)
    return {}
  }

  return {
    /** Spot's document wraps each one as `{id, createdAt, updatedAt, config}`, its Go SDK reads them flat. */
    async list (): Promise<ManagedInstance[]> {
      type Listed = ManagedInstance & { config?: ManagedInstance | null }
      const listed = await spot.items<Listed>('listManagedInstances', 'GET', MANAGED_INSTANCES)
      return listed.map(({ config, ...rest }) => config ? { ...config, ...rest } : rest)
    },

    create: (body: object): Promise<ManagedInstance> =>
      spot.created('id', 'createManagedInstance', 'POST', MANAGED_INSTANCES, { body, envelope }),

    get,

    update: (id: string, body: object, { autoApplyTags }: UpdateOptions): Promise<ManagedInstance> =>
      spot.item('updateManagedInstance', 'PUT', pathOf(id), {
        body, envelope, query: asQuery({ autoApplyTags })
      }, (fresh) => managedInstances(fresh).get(id)),

    delete: (id: string, deallocationConfig: InstanceDeallocation, backupImages: boolean | undefined): Promise<void> =>
      spot.done('deleteManagedInstance', 'DELETE', pathOf(id), {
        body: { deallocationConfig, ...amiBackup(backupImages) }
      }),

    /** An empty object when Spot has no state yet. */
    status: async (id: string): Promise<Status> =>
      firstOf(id, await spot.items<Status>('getManagedInstanceStatus', 'GET', pathOf(id, 'status'))),

    /** An empty object when Spot has no costs. */
    async costs (id: string, range: Range): Promise<Costs> {
      const query = costQuery(range)
      return firstOf(id, await spot.items<Costs>('getManagedInstanceCosts', 'GET', pathOf(id, 'costs'), { query }))
    },

    act: (id: string, action: InstanceAction): Promise<void> =>
      spot.done(`${action}ManagedInstance`, 'PUT', pathOf(id, action)),

    deleteVolume: (id: string, volume: string): Promise<void> =>
      spot.done('deleteManagedInstanceVolume', 'DELETE', pathOf(id, 'volume', volume)),

    updateStates: (body: Schemas['InstanceStates']): Promise<void> =>
      spot.done('updateManagedInstanceStates', 'PUT', [...MANAGED_INSTANCES, 'state'], {
        body, envelope: 'managedInstanceStates'
      })
  }
}
