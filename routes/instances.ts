import type { Handlers, Request } from '../openapi/handlers.js'
import { withDefaultVpc, withOrganizationTag } from '../services/additions.js'
import { filterOf } from '../services/filters.js'
import { rangeOf } from '../services/moments.js'
import { askAgain, readinessOfManagedInstance } from '../services/readiness.js'
import { EVERYTHING } from '../services/spotinst/deallocation.js'
import type { InstanceAction } from '../services/spotinst/managed-instances.js'
import { summaryOfManagedInstance } from '../services/summaries.js'

const act = (action: InstanceAction) => async ({ server, params }: Request<'pauseInstance'>) => {
  await server.spotinst.account(params.account).managedInstances.act(params.instance, action)
  return { status: 202 } as const
}

export const instances = {
  async listInstances ({ server, params, query }) {
    const passes = filterOf(query)
    const instances = await server.spotinst.account(params.account).managedInstances.list()
    return { status: 200, body: instances.map(summaryOfManagedInstance).filter(passes) }
  },

  async createInstance ({ server, params: { account }, body }) {
    const { managedInstances, defaultVPC } = server.spotinst.account(account)
    const complete = withOrganizationTag(withDefaultVpc(body, defaultVPC), server.configuration.organization)
    const instance = await managedInstances.create(complete)
    return { status: 201, headers: { Location: `/v1/spot/${account}/instances/${instance.id}` }, body: instance }
  },

  async getInstance ({ server, params }) {
    const { managedInstances } = server.spotinst.account(params.account)
    return { status: 200, body: await managedInstances.get(params.instance) }
  },

  async updateInstance ({ server, params, query, body: { id, ...changes } }) {
    const { managedInstances } = server.spotinst.account(params.account)
    return { status: 200, body: await managedInstances.update(params.instance, changes, query) }
  },

  async deleteInstance ({ server, params, query: { shouldDeleteBackupImages, ...switches } }) {
    const { managedInstances } = server.spotinst.account(params.account)
    const everything = { shouldTerminateInstance: true, ...EVERYTHING, ...switches }
    await managedInstances.delete(params.instance, everything, shouldDeleteBackupImages)
    return { status: 204 }
  },

  async getInstanceStatus ({ server, params }) {
    const { managedInstances } = server.spotinst.account(params.account)
    return { status: 200, body: await managedInstances.status(params.instance) }
  },

  async getInstanceReadiness ({ server, params }) {
    const { managedInstances } = server.spotinst.account(params.account)
    const readiness = readinessOfManagedInstance(await managedInstances.status(params.instance))
    return { status: 200, headers: askAgain(readiness), body: readiness }
  },

  async getInstanceCosts ({ server, params, query }) {
    const { managedInstances } = server.spotinst.account(params.account)
    return { status: 200, body: await managedInstances.costs(params.instance, rangeOf(query)) }
  },

  pauseInstance: act('pause'),
  resumeInstance: act('resume'),
  recycleInstance: act('recycle'),

  async deleteInstanceVolume ({ server, params }) {
    await server.spotinst.account(params.account).managedInstances.deleteVolume(params.instance, params.volume)
    return { status: 204 }
  },

  async updateInstanceStates ({ server, params, body }) {
    await server.spotinst.account(params.account).managedInstances.updateStates(body)
    return { status: 202 }
  }
} satisfies Partial<Handlers>
