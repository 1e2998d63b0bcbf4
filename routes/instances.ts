import type { Handlers, Request } from '../openapi/handlers.js'
import { pathOf } from '../openapi/paths.js'
import type { components } from '../openapi/types.js'
import { withDefaultVpc, withOrganizationTag } from '../services/resources/additions.js'
import { filterOf } from '../services/resources/filters.js'
import { withGuardrailTags } from '../services/guardrails/index.js'
import { byMarker, withMarker, type Finder } from '../services/idempotency/index.js'
import { withoutPasswords } from '../services/masking/index.js'
import { rangeOf } from '../services/resources/moments.js'
import { pageOf } from '../services/resources/pages.js'
import { retryAfterOfManagedInstance, readinessOfManagedInstance } from '../services/resources/readiness.js'
import { deallocationOf } from '../services/spot/operations/deallocation.js'
import type { InstanceAction } from '../services/spot/operations/managed-instances.js'
import { summaryOfManagedInstance } from '../services/resources/summaries.js'
import { inTurns } from '../services/event-loop/yield.js'

type ManagedInstance = components['schemas']['ManagedInstance']

const act = (action: InstanceAction) => async ({ account, params }: Request<'pauseInstance'>) => {
  await account.managedInstances.act(params.instance, action)
  return { status: 202 } as const
}

const createdReply = (account: string, instance: ManagedInstance) => ({
  status: 201,
  headers: { Location: pathOf('getInstance', { account, instance: String(instance.id) }) },
  body: instance
} as const)

/** The managed instances that were created with an Idempotency-Key. */
export const markedInstances: Finder = async ({ name, managedInstances }) =>
  byMarker(await managedInstances.list(), (instance) => createdReply(name, instance))

export const instances = {
  async listInstances ({ account, query, url }) {
    const passes = filterOf(query, withoutPasswords)
    const instances = await account.managedInstances.list()
    const found = await inTurns(instances, (slice) => slice.map(summaryOfManagedInstance).filter(passes))
    const { items, headers } = pageOf(found.flat(), query, url)
    return { status: 200, headers, body: items }
  },

  async createInstance (request) {
    const { server: { configuration: { organizationTag } }, account, rules } = request
    const body = withGuardrailTags(withDefaultVpc(request.body, account.defaultVPC), rules)
    const tagged = withOrganizationTag(body, organizationTag)
    return request.once(async (marker) =>
      createdReply(account.name, await account.managedInstances.create(withMarker(tagged, marker))))
  },

  async getInstance ({ account, params }) {
    return { status: 200, body: await account.managedInstances.get(params.instance) }
  },

  // Callers send back what they have read, but Spot refuses what it sets itself.
  async updateInstance ({ account, params, query, body: { id, createdAt, updatedAt, ...changes } }) {
    return { status: 200, body: await account.managedInstances.update(params.instance, changes, query) }
  },

  async deleteInstance ({ account, params, query }) {
    const { shouldTerminateInstance = true, shouldDeleteBackupImages } = query
    const deallocation = { shouldTerminateInstance, ...deallocationOf(query) }
    await account.managedInstances.delete(params.instance, deallocation, shouldDeleteBackupImages)
    return { status: 204 }
  },

  async getInstanceStatus ({ account, params }) {
    return { status: 200, body: await account.managedInstances.status(params.instance) }
  },

  async getInstanceReadiness ({ account, params }) {
    const status = await account.managedInstances.status(params.instance)
    const readiness = readinessOfManagedInstance(status)
    return { status: 200, headers: retryAfterOfManagedInstance(readiness, status), body: readiness }
  },

  async getInstanceCosts ({ account, params, query }) {
    return { status: 200, body: await account.managedInstances.costs(params.instance, rangeOf(query)) }
  },

  pauseInstance: act('pause'),
  resumeInstance: act('resume'),
  recycleInstance: act('recycle'),

  async deleteInstanceVolume ({ account, params }) {
    await account.managedInstances.deleteVolume(params.instance, params.volume)
    return { status: 204 }
  },

  async updateInstanceStates ({ account, body }) {
    await account.managedInstances.updateStates(body)
    return { status: 202 }
  }
} satisfies Partial<Handlers>
