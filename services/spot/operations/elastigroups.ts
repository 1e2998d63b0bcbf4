import type { components } from '../../../openapi/types.js'
import type { Moment, Range } from '../../resources/moments.js'
import { amiBackup, type Deallocation } from './deallocation.js'
import { groupPath, GROUPS } from './paths.js'
import type { Spot } from './spot.js'

type Schemas = components['schemas']
type Elastigroup = Schemas['Elastigroup']
type Costs = Schemas['Costs']

const envelope = 'group'

/** Options of an update, in Spot's words. */
export interface UpdateOptions {
  autoApplyTags?: boolean
  shouldResumeStateful?: boolean
}

/** A query as text, without what is not set. */
export const asQuery = (values: Record<string, boolean | number | string | undefined>) =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value?.toString()]))

/** The cost operations take a day or an ISO 8601 date-time. */
export const costQuery = ({ start, end }: Range) => ({ fromDate: start.text, toDate: end.text })

/** Spot's operations on AWS Elastigroups, one function each. Bodies go and come as they are. */
export const elastigroups = (spot: Spot) => ({
  list: (): Promise<Elastigroup[]> =>
    spot.items('listElastigroups', 'GET', GROUPS),

  create: (body: object): Promise<Elastigroup> =>
    spot.created('id', 'createElastigroup', 'POST', GROUPS, { body, envelope }),

  get: (id: string): Promise<Elastigroup> =>
    spot.item('getElastigroup', 'GET', groupPath(id)),

  update: (id: string, body: object, { autoApplyTags, shouldResumeStateful }: UpdateOptions): Promise<Elastigroup> =>
    spot.item('updateElastigroup', 'PUT', groupPath(id), {
      body, envelope, query: asQuery({ autoApplyTags, shouldResumeStateful })
    }, (fresh) => elastigroups(fresh).get(id)),

  delete: (id: string, statefulDeallocation: Deallocation, backupImages: boolean | undefined): Promise<void> =>
    spot.done('deleteElastigroup', 'DELETE', groupPath(id), {
      body: { statefulDeallocation, ...amiBackup(backupImages) }
    }),

  status: (id: string): Promise<Schemas['ElastigroupStatus']> =>
    spot.items('getElastigroupStatus', 'GET', groupPath(id, 'status')),

  health: (id: string): Promise<Schemas['ElastigroupHealth']> =>
    spot.items('getElastigroupHealth', 'GET', groupPath(id, 'instanceHealthiness')),

  /** An empty object when Spot has no costs. */
  async costs (id: string, range: Range): Promise<Costs> {
    const query = costQuery(range)
    const [costs] = await spot.items<Costs>('getElastigroupCosts', 'GET', groupPath(id, 'costs'), { query })
    return costs ?? {}
  },

  detailedCosts: (id: string, range: Range): Promise<Schemas['DetailedCosts']> =>
    spot.items('getElastigroupDetailedCosts', 'GET', groupPath(id, 'costs', 'detailed'), { query: costQuery(range) }),

  /** Spot takes a day, so events of that day before the moment are left out here. */
  async events (id: string, start: Moment): Promise<Schemas['ElastigroupEvents']> {
    const query = { fromDate: start.text.slice(0, 10) }
    const path = groupPath(id, 'events')
    const events = await spot.items<Schemas['ElastigroupEvent']>('listElastigroupEvents', 'GET', path, { query })
    return events.filter(({ createdAt }) => !(Date.parse(createdAt ?? '') < start.time))
  },

  /** Spot takes milliseconds since the epoch. */
  logs: (
    id: string,
    { start, end }: Range,
    { severity, resource, limit }: { severity?: string, resource?: string, limit?: number }
  ): Promise<Schemas['ElastigroupLog']> =>
    spot.items('listElastigroupLogs', 'GET', groupPath(id, 'logs'), {
      query: asQuery({ fromDate: start.time, toDate: end.time, severity, resourceId: resource, limit })
    })
})
