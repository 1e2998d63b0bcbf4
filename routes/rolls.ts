import type { Handlers } from '../openapi/handlers.js'
import { explainRollConflict } from '../services/spot/roll-conflict.js'
import { groupPath } from './elastigroups.js'

export const rolls = {
  async listRolls ({ account, params, query }) {
    return { status: 200, body: await account.rolls.list(params.elastigroup, query.limit) }
  },

  createRoll: (request) => request.once(async () => {
    const { account: { rolls }, params, body } = request
    const group = params.elastigroup
    const create = () => rolls.create(group, body)
    const roll = await explainRollConflict(groupPath(params), () => rolls.list(group), create)
    return { status: 201, headers: { Location: `${groupPath(params)}/rolls/${roll.id}` }, body: roll } as const
  }),

  async getRoll ({ account, params }) {
    return { status: 200, body: await account.rolls.get(params.elastigroup, params.roll) }
  },

  async stopRoll ({ account, params }) {
    await account.rolls.stop(params.elastigroup, params.roll)
    return { status: 202 }
  },

  async getRollStatus ({ account, params }) {
    return { status: 200, body: await account.rolls.status(params.elastigroup, params.roll) }
  },

  async createRollAction ({ account, params, body }) {
    return { status: 200, body: await account.rolls.act(params.elastigroup, params.roll, body) }
  }
} satisfies Partial<Handlers>
