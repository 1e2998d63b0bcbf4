import type { Handlers, Request } from '../openapi/handlers.js'
import type { components } from '../openapi/types.js'
import { byMarker, withDefaultVpc, withTags } from '../services/additions.js'
import { filterOf } from '../services/filters.js'
import { withGuardrailTags } from '../services/guardrails/index.js'
import type { Finder } from '../services/idempotency/index.js'
import { rangeOf } from '../services/moments.js'
import { askAgain, readinessOfManagedInstance } from '../services/readiness.js'
import { EVERYTHING } from '../services/spotinst/deallocation.js'
import type { InstanceAction } from '../services/spotinst/managed-instances.js'
import { summaryOfManagedInstance } from '../services/summaries.js'
import { inTurns } from '../services/turns.js'

type ManagedInstance = components['schemas']['ManagedInstance']

const act = (action: InstanceAction) => async ({ spot, params }: Request<'pauseInstance'>) => {
  await spot.managedInstances.act(params.instance, action)
  return { status: 202 } as const
}

const created = (account: string, instance: ManagedInstance) => ({
  status: 201,
  headers: { Location: `/v1/spot/${account}/instances/${instance.id}` },
  body: instance
} as const)

/** The managed instances that were created with an Idempotency-Key. */
export const markedInstances: Finder = async ({ name, managedInstances }) =>
  byMarker(await managedInstances.list(), (instance) => created(name, instance))

export const instances = {
  async listInstances ({ spot, query }) {
    const passes = filterOf(query)
    const instances = await spot.managedInstances.list()
    const found = await inTurns(instances, (some) => some.map(summaryOfManagedInstance).filter(passes))
    return { status: 200, body: found.flat() }
  },

  async createInstance (request) {
    const { server: { configuration: { organization } }, spot, rules } = request
    const body = withGuardrailTags(withDefaultVpc(request.body, spot.defaultVPC), rules)
    return request.once(async (marker) =>
      created(spot.name, await spot.managedInstances.create(withTags(body, { organization, marker }))))
  },

  async getInstance ({ spot, params }) {
    return { status: 200, body: await spot.managedInstances.get(params.instance) }
  },

  async updateInstance ({ spot, params, query, body: { id, ...changes } }) {
    return { status: 200, body: await spot.managedInstances.update(params.instance, changes, query) }
  },

  async deleteInstance ({ spot, params, query: { dryRun, shouldDeleteBackupImages, ...switches } }) {
    const everything = { shouldTerminateInstance: true, ...EVERYTHING, ...switches }
    await spot.managedInstances.delete(params.instance, everything, shouldDeleteBackupImages)
    return { status: 204 }
  },

  async getInstanceStatus ({ spot, params }) {
    return { status: 200, body: await spot.managedInstances.status(params.instance) }
  },

  async getInstanceReadiness ({ spot, params }) {
    const readiness = readinessOfManagedInstance(await spot.managedInstances.status(params.instance))
    return { status: 200, headers: askAgain(readiness), body: readiness }
  },

  async getInstanceCosts ({ spot, params, query }) {
    return { status: 200, body: await spot.managedInstances.costs(params.instance, rangeOf(query)) }
  },

  pauseInstance: act('pause'),
  resumeInstance: act('resume'),
  recycleInstance: act('recycle'),

  async deleteInstanceVolume ({ spot, params }) {
    await spot.managedInstances.deleteVolume(params.instance, params.volume)
    return { status: 204 }
  },

  async updateInstanceStates ({ spot, body }) {
    await spot.managedInstances.updateStates(body)
    return { status: 202 }
  }
} satisfies Partial<Handlers>
