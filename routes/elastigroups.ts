import type { Handlers } from '../openapi/handlers.js'
import { withOrganizationTag } from '../services/additions.js'
import { costRange } from '../services/cost-range.js'
import { EVERYTHING } from '../services/spotinst/requests.js'
import { summaryOfElastigroup } from '../services/summaries.js'

export const elastigroups = {
  async listElastigroups ({ server, params }) {
    const groups = await server.spotinst.account(params.account).elastigroups.list()
    return { status: 200, body: groups.map(summaryOfElastigroup) }
  },

  async createElastigroup ({ server, params, body }) {
    const { elastigroups } = server.spotinst.account(params.account)
    const group = await elastigroups.create(withOrganizationTag(body, server.configuration.organization))
    return {
      status: 201,
      headers: { Location: `/v1/spot/${params.account}/elastigroups/${group.id}` },
      body: group
    }
  },

  async getElastigroup ({ server, params }) {
    const { elastigroups } = server.spotinst.account(params.account)
    return { status: 200, body: await elastigroups.get(params.elastigroup) }
  },

  async updateElastigroup ({ server, params, body: { id, ...changes } }) {
    const { elastigroups } = server.spotinst.account(params.account)
    return { status: 200, body: await elastigroups.update(params.elastigroup, changes) }
  },

  async deleteElastigroup ({ server, params, query }) {
    const { elastigroups } = server.spotinst.account(params.account)
    await elastigroups.delete(params.elastigroup, { ...EVERYTHING, ...query })
    return { status: 204 }
  },

  async getElastigroupStatus ({ server, params }) {
    const { elastigroups } = server.spotinst.account(params.account)
    return { status: 200, body: await elastigroups.status(params.elastigroup) }
  },

  async getElastigroupCosts ({ server, params, query }) {
    const { elastigroups } = server.spotinst.account(params.account)
    return { status: 200, body: await elastigroups.costs(params.elastigroup, costRange(query)) }
  }
} satisfies Partial<Handlers>
