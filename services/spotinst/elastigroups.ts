import type { components } from '../../openapi/types.js'
import type { CostRange, Deallocation } from './requests.js'
import type { Spot } from './spot.js'

type Schemas = components['schemas']
type Elastigroup = Schemas['Elastigroup']

const root = ['aws', 'ec2', 'group']

/** Spot's operations on AWS Elastigroups, one function each. Bodies go and come as they are. */
export const elastigroups = (spot: Spot) => ({
  list: (): Promise<Elastigroup[]> =>
    spot.items({ operation: 'listElastigroups', method: 'GET', path: root }),

  create: (group: object): Promise<Elastigroup> =>
    spot.item({ operation: 'createElastigroup', method: 'POST', path: root, body: { group } }),

  get: (id: string): Promise<Elastigroup> =>
    spot.item({ operation: 'getElastigroup', method: 'GET', path: [...root, id] }),

  update: (id: string, group: object): Promise<Elastigroup> =>
    spot.item({ operation: 'updateElastigroup', method: 'PUT', path: [...root, id], body: { group } }),

  delete: (id: string, statefulDeallocation: Deallocation): Promise<void> =>
    spot.done({ operation: 'deleteElastigroup', method: 'DELETE', path: [...root, id], body: { statefulDeallocation } }),

  status: (id: string): Promise<Schemas['ElastigroupStatus']> =>
    spot.items({ operation: 'getElastigroupStatus', method: 'GET', path: [...root, id, 'status'] }),

  /** An empty object when Spot has no costs. */
  async costs (id: string, range: CostRange): Promise<Schemas['Costs']> {
    const path = [...root, id, 'costs']
    const [costs] = await spot.items<Schemas['Costs']>({
      operation: 'getElastigroupCosts', method: 'GET', path, query: { ...range }
    })
    return costs ?? {}
  }
})
