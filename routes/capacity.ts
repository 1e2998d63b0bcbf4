import type { Handlers } from '../openapi/handlers.js'
import { explainRollConflict } from '../services/spot/roll-conflict.js'

export const capacity = {
  async getElastigroupCapacity ({ account, params }) {
    const { capacity } = await account.elastigroups.get(params.elastigroup)
    return { status: 200, body: capacity ?? {} }
  },

  async updateElastigroupCapacity ({ account, params, body }) {
    const update = () => account.capacity.update(params.elastigroup, body)
    return { status: 200, body: await explainRollConflict(account, params, update) }
  },

  async scaleUpElastigroup ({ account, params, query: { adjustment = 1 } }) {
    const scale = () => account.capacity.scaleUp(params.elastigroup, adjustment)
    return { status: 200, body: await explainRollConflict(account, params, scale) }
  },

  async scaleDownElastigroup ({ account, params, query: { adjustment = 1 } }) {
    const scale = () => account.capacity.scaleDown(params.elastigroup, adjustment)
    return { status: 200, body: await explainRollConflict(account, params, scale) }
  },

  async detachInstances ({ account, params, body }) {
    await explainRollConflict(account, params, () => account.capacity.detach(params.elastigroup, body))
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
