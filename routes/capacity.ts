import type { Handlers, Request } from '../openapi/handlers.js'
import { explainRollConflict } from '../services/spot/roll-conflict.js'
import type { Account } from '../services/spot/account.js'
import { groupPath } from './elastigroups.js'

/** Carries out a change of a group's instances that Spot refuses while a roll blocks the group. */
function change<T> (
  { account, params }: Pick<Request<'updateElastigroupCapacity'>, 'account' | 'params'>,
  write: (capacity: Account['capacity'], group: string) => Promise<T>
): Promise<T> {
  const { capacity, rolls } = account
  const group = params.elastigroup
  return explainRollConflict(groupPath(params), () => rolls.list(group), () => write(capacity, group))
}

export const capacity = {
  async getElastigroupCapacity ({ account, params }) {
    const { capacity } = await account.elastigroups.get(params.elastigroup)
    return { status: 200, body: capacity ?? {} }
  },

  updateElastigroupCapacity: async (request) =>
    ({ status: 200, body: await change(request, (capacity, group) => capacity.update(group, request.body)) }),

  async scaleUpElastigroup (request) {
    const { adjustment = 1 } = request.query
    return { status: 200, body: await change(request, (capacity, group) => capacity.scaleUp(group, adjustment)) }
  },

  async scaleDownElastigroup (request) {
    const { adjustment = 1 } = request.query
    return { status: 200, body: await change(request, (capacity, group) => capacity.scaleDown(group, adjustment)) }
  },

  async detachInstances (request) {
    await change(request, (capacity, group) => capacity.detach(group, request.body))
    return { status: 202 }
  },

  async listSuspensions ({ account, params }) {
    return { status: 200, body: await account.capacity.suspensions(params.elastigroup) }
  },

  async createSuspensions ({ account, params, body }) {
    return { status: 200, body: await account.capacity.suspend(params.elastigroup, body) }
  },

  async deleteSuspensions ({ account, params, query }) {
    return { status: 200, body: await account.capacity.resume(params.elastigroup, query.process) }
  }
} satisfies Partial<Handlers>
