import type { components } from '../../openapi/types.js'
import type { CostRange, Deallocation } from './requests.js'
import type { Spot } from './spot.js'

type Schemas = components['schemas']
type Elastigroup = Schemas['Elastigroup']

const root = ['aws', 'ec2', 'group']

/** Spot's operations on AWS Elastigroups, one function each. Bodies go and come as they are. */
export const elastigroups = (spot: Spot) => ({
  list: (): Promise<Elastigroup[]> =>
    spot.items('listElastigroups', 'GET', root),

  create: (group: object): Promise<Elastigroup> =>
    spot.item('createElastigroup', 'POST', root, { body: { group } }),

  get: (id: string): Promise<Elastigroup> =>
    spot.item('getElastigroup', 'GET', [...root, id]),

  update: (id: string, group: object): Promise<Elastigroup> =>
    spot.item('updateElastigroup', 'PUT', [...root, id], { body: { group } }),

  delete: (id: string, statefulDeallocation: Deallocation): Promise<void> =>
    spot.done('deleteElastigroup', 'DELETE', [...root, id], { body: { statefulDeallocation } }),

  status: (id: string): Promise<Schemas['ElastigroupStatus']> =>
    spot.items('getElastigroupStatus', 'GET', [...root, id, 'status']),

  /** An empty object when Spot has no costs. */
  async costs (id: string, range: CostRange): Promise<Schemas['Costs']> {
    const query = { ...range }
    const [costs] = await spot.items<Schemas['Costs']>('getElastigroupCosts', 'GET', [...root, id, 'costs'], { query })
    return costs ?? {}
  }
})
