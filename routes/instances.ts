import type { Handlers } from '../openapi/handlers.js'
import { withDefaultVpc, withOrganizationTag } from '../services/additions.js'
import { costRange } from '../services/cost-range.js'
import { EVERYTHING } from '../services/spotinst/requests.js'
import { summaryOfManagedInstance } from '../services/summaries.js'

export const instances = {
  async listInstances ({ server, params }) {
    const instances = await server.spotinst.account(params.account).managedInstances.list()
    return { status: 200, body: instances.map(summaryOfManagedInstance) }
  },

  async createInstance ({ server, params, body }) {
    const { managedInstances, defaultVPC } = server.spotinst.account(params.account)
    const complete = withOrganizationTag(withDefaultVpc(body, defaultVPC), server.configuration.organization)
    const instance = await managedInstances.create(complete)
    return {
      status: 201,
      headers: { Location: `/v1/spot/${params.account}/instances/${instance.id}` },
      body: instance
    }
  },

  async getInstance ({ server, params }) {
    const { managedInstances } = server.spotinst.account(params.account)
    return { status: 200, body: await managedInstances.get(params.instance) }
  },

  async updateInstance ({ server, params, body: { id, ...changes } }) {
    const { managedInstances } = server.spotinst.account(params.account)
    return { status: 200, body: await managedInstances.update(params.instance, changes) }
  },

  async deleteInstance ({ server, params, query }) {
    const { managedInstances } = server.spotinst.account(params.account)
    await managedInstances.delete(params.instance, { shouldTerminateInstance: true, ...EVERYTHING, ...query })
    return { status: 204 }
  },

  async getInstanceStatus ({ server, params }) {
    const { managedInstances } = server.spotinst.account(params.account)
    return { status: 200, body: await managedInstances.status(params.instance) }
  },

  async getInstanceCosts ({ server, params, query }) {
    const { managedInstances } = server.spotinst.account(params.account)
    return { status: 200, body: await managedInstances.costs(params.instance, costRange(query)) }
  }
} satisfies Partial<Handlers>
