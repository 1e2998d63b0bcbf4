import { derivedId } from '../ids.js'
import { RUNNING_AFTER_MS } from '../machines/machine.js'
import { refusal } from '../protocol/errors.js'
import type { JsonObject } from '../protocol/json.js'
import { add } from '../resources/resources.js'
import type { Account } from '../world.js'
import type { Migration, MigrationOrder, Step } from './migration.js'
import { MANAGED_INSTANCE } from './noun.js'

/** Instances whose ids begin like this cannot be copied: their migrations end in MIGRATE_ERROR. */
export const BROKEN_INSTANCE = 'i-00000bad'

/**
 * Begins to make a managed instance of an instance of AWS. It exists as soon as the migration has finished.
 * @throws SandboxError 400 when the instance is Spot's already, or on its way there
 */
export function migrate (account: Account, order: MigrationOrder, now: number): Migration {
  const original = order.originalInstanceId
  const underway = [...account.migrations.values()].some((migration) =>
    migration.order.originalInstanceId === original && stepAt(migration, now).state !== 'MIGRATE_ERROR')
  if (underway) throw refusal('CANT_CREATE_MIGRATION', `Instance ${original} is being migrated or was before`)
  const owners = [...account.groups.values(), ...account.managedInstances.values()]
  if (owners.some(({ machines }) => machines.some(({ instanceId }) => instanceId === original))) {
    throw refusal('CANT_CREATE_MIGRATION', `Instance ${original} is managed by Spot`)
  }
  const origin = `${account.id}/${account.migrations.size}`
  const migration: Migration = {
    id: derivedId('smg', origin),
    managedInstanceId: derivedId('smi', origin),
    order,
    steps: stepsOf(order),
    startedAt: now
  }
  account.migrations.set(migration.id, migration)
  if (migration.steps.at(-1)?.state === 'MIGRATE_FINISH') {
    const seconds = migration.steps.slice(0, -1).reduce((sum, step) => sum + step.seconds, 0)
    account.agenda.add(now + seconds * 1000, (at) => finish(account, migration, at))
  }
  return migration
}

/** Where a migration is at `now`. */
export function stepAt ({ startedAt, steps }: Migration, now: number): Step {
  let since = now - startedAt
  for (const step of steps) {
    if (since < step.seconds * 1000) return step
    since -= step.seconds * 1000
  }
  throw new Error('the last step takes for ever')
}

/** The names of the states are the vendor's, which ones there are and how long they take is not documented. */
function stepsOf ({ originalInstanceId, shouldTerminateInstance }: MigrationOrder): Step[] {
  const copied: Step[] = [
    { state: 'MIGRATE_START', description: 'The migration begins', seconds: 10 },
    { state: 'MIGRATE_CREATE_IMAGE', description: 'An image of the instance is ordered', seconds: 20 },
    { state: 'MIGRATE_AWAIT_FOR_IMAGE', description: 'The image is being made', seconds: 120 }
  ]
  if (originalInstanceId.startsWith(BROKEN_INSTANCE)) {
    return [...copied, { state: 'MIGRATE_ERROR', description: 'The image could not be made', seconds: Infinity }]
  }
  return [
    ...copied,
    ...shouldTerminateInstance
      ? [{ state: 'MIGRATE_TERMINATE_INSTANCE', description: 'The original instance is terminated', seconds: 30 }]
      : [],
    { state: 'MIGRATE_LAUNCH_INSTANCE', description: 'The new instance is launched', seconds: RUNNING_AFTER_MS / 1000 },
    { state: 'MIGRATE_FINISH', description: 'The managed instance exists', seconds: Infinity }
  ]
}

/** The managed instance comes with a machine that runs already: it was launched in the step before. */
function finish (account: Account, { managedInstanceId, order }: Migration, now: number): void {
  const instance = add(MANAGED_INSTANCE, account, managedInstanceId, contentOf(order), now)
  for (const machine of instance.machines) machine.requestedAt = now - RUNNING_AFTER_MS
}

/** What cannot be known without AWS (image, network) is made up from the id of the original. */
function contentOf (order: MigrationOrder): JsonObject {
  const { originalInstanceId: original, spotInstanceTypes: types } = order
  const some = (prefix: string) => derivedId(prefix, original, 17)
  return {
    name: order.managedInstanceName ?? original,
    region: order.region,
    strategy: { lifeCycle: 'spot', orientation: 'balanced', fallbackToOd: true, revertToSpot: { performAt: 'always' } },
    persistence: {
      persistRootDevice: true,
      persistBlockDevices: true,
      persistPrivateIp: order.shouldKeepPrivateIp,
      blockDevicesMode: 'onLaunch'
    },
    compute: {
      product: order.product,
      vpcId: some('vpc'),
      subnetIds: order.subnetIds.length > 0 ? order.subnetIds : [some('subnet')],
      launchSpecification: {
        imageId: some('ami'),
        securityGroupIds: [some('sg')],
        instanceTypes: { preferredType: types[0] ?? 'm5.large', types: types.length > 0 ? types : ['m5.large'] },
        tags: []
      }
    },
    integrations: {},
    scheduling: {}
  }
}
