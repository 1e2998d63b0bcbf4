import type { Handlers, Request } from '../openapi/handlers.js'
import { namingTheRoll } from '../services/roll-conflict.js'
import type { Account } from '../services/spotinst/index.js'
import { groupPath } from './elastigroups.js'

/** Carries out a change of a group's instances that Spot refuses while a roll blocks the group. */
function change<T> (
  { server, params }: Pick<Request<'updateElastigroupCapacity'>, 'server' | 'params'>,
  write: (capacity: Account['capacity'], group: string) => Promise<T>
): Promise<T> {
  const { capacity, rolls } = server.spotinst.account(params.account)
  const group = params.elastigroup
  return namingTheRoll(groupPath(params), () => rolls.list(group), () => write(capacity, group))
}

export const capacity = {
  async getElastigroupCapacity ({ server, params }) {
    const { capacity } = await server.spotinst.account(params.account).elastigroups.get(params.elastigroup)
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

  async listSuspensions ({ server, params }) {
    const { capacity } = server.spotinst.account(params.account)
    return { status: 200, body: await capacity.suspensions(params.elastigroup) }
  },

  async createSuspensions ({ server, params, body }) {
    const { capacity } = server.spotinst.account(params.account)
    return { status: 200, body: await capacity.suspend(params.elastigroup, body) }
  },

  async deleteSuspensions ({ server, params, query }) {
    const { capacity } = server.spotinst.account(params.account)
    return { status: 200, body: await capacity.resume(params.elastigroup, query.process) }
  }
} satisfies Partial<Handlers>
