import type { Handlers } from '../openapi/handlers.js'
import { namingTheRoll } from '../services/roll-conflict.js'
import { groupPath } from './elastigroups.js'

export const rolls = {
  async listRolls ({ server, params, query }) {
    const { rolls } = server.spotinst.account(params.account)
    return { status: 200, body: await rolls.list(params.elastigroup, query.limit) }
  },

  async createRoll ({ server, params, body }) {
    const { rolls } = server.spotinst.account(params.account)
    const group = params.elastigroup
    const create = () => rolls.create(group, body)
    const roll = await namingTheRoll(groupPath(params), () => rolls.list(group), create)
    return { status: 201, headers: { Location: `${groupPath(params)}/rolls/${roll.id}` }, body: roll }
  },

  async getRoll ({ server, params }) {
    const { rolls } = server.spotinst.account(params.account)
    return { status: 200, body: await rolls.get(params.elastigroup, params.roll) }
  },

  async stopRoll ({ server, params }) {
    await server.spotinst.account(params.account).rolls.stop(params.elastigroup, params.roll)
    return { status: 202 }
  },

  async getRollStatus ({ server, params }) {
    const { rolls } = server.spotinst.account(params.account)
    return { status: 200, body: await rolls.status(params.elastigroup, params.roll) }
  },

  async createRollAction ({ server, params, body }) {
    const { rolls } = server.spotinst.account(params.account)
    return { status: 200, body: await rolls.act(params.elastigroup, params.roll, body) }
  }
} satisfies Partial<Handlers>
