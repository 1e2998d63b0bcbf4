import type { Handlers } from '../openapi/handlers.js'
import { pathOf } from '../openapi/paths.js'
import { explainRollConflict } from '../services/spot/roll-conflict.js'

export const rolls = {
  async listRolls ({ account, params, query }) {
    return { status: 200, body: await account.rolls.list(params.elastigroup, query.limit) }
  },

  createRoll: (request) => request.once(async () => {
    const { account, params, body } = request
    const create = () => account.rolls.create(params.elastigroup, body)
    const roll = await explainRollConflict(account, params, create)
    const Location = pathOf('getRoll', { ...params, roll: String(roll.id) })
    return { status: 201, headers: { Location }, body: roll } as const
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
