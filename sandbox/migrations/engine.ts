import type { Task } from '../agenda.js'
import { derivedId } from '../ids.js'
import { RUNNING_AFTER_MS } from '../machines/model.js'
import { refusal } from '../protocol/errors.js'
import type { JsonObject } from '../protocol/json.js'
import { add } from '../resources/engine.js'
import type { Account } from '../world.js'
import type { Migration, MigrationOptions } from './model.js'
import { millisecondsUntil, stepAt } from './steps.js'
import type { Step } from './steps.js'
import { MANAGED_INSTANCE } from '../managed-instances/engine.js'

/** Instances with this id prefix cannot be copied: their migrations end in MIGRATE_ERROR. */
export const BROKEN_INSTANCE = 'i-00000bad'

/**
 * Starts to turn an EC2 instance into a managed instance, which exists once the migration has finished.
 * @throws SandboxError 400 if Spot manages the instance already, or a migration of it is under way
 */
export function migrate (account: Account, options: MigrationOptions, now: number): Migration {
  const original = options.originalInstanceId
  const isUnderway = [...account.migrations.values()].some((migration) =>
    migration.options.originalInstanceId === original && migrationStep(migration, now).state !== 'MIGRATE_ERROR')
  if (isUnderway) throw refusal('CANT_CREATE_MIGRATION', `Instance ${original} is being migrated or was before`)
  refuseManaged(account, original)
  const origin = `${account.id}/${account.migrations.size}`
  const migration: Migration = {
    id: derivedId('smg', origin),
    managedInstanceId: derivedId('smi', origin),
    options,
    startedAt: now
  }
  account.migrations.set(migration.id, migration)
  const duration = millisecondsUntil('MIGRATE_FINISH', stepsOf(options))
  if (duration !== undefined) account.agenda.add(now + duration, 'migrationFinishes', [migration.id])
  return migration
}

/** The step of a migration at `now`. */
export function migrationStep ({ options, startedAt }: Migration, now: number): Step {
  return stepAt(stepsOf(options), now - startedAt)
}

/** @throws SandboxError 400 if the EC2 instance belongs to a group or a managed instance */
export function refuseManaged (account: Account, instanceId: string): void {
  const owners = [...account.groups.values(), ...account.managedInstances.values()]
  if (owners.some(({ machines }) => machines.some((machine) => machine.instanceId === instanceId))) {
    throw refusal('CANT_CREATE_MIGRATION', `Instance ${instanceId} is managed by Spot`)
  }
}

/** The state names are the vendor's. Their sequence and durations are not documented. */
function stepsOf ({ originalInstanceId, shouldTerminateInstance }: MigrationOptions): Step[] {
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

/** What is scheduled for migrations. */
export const migrationTasks: Record<string, Task<Account>> = {
  migrationFinishes (account, [id = ''], at) {
    const { managedInstanceId, options } = account.migrations.get(id) ?? {}
    if (managedInstanceId === undefined || options === undefined) return
    const instance = add(MANAGED_INSTANCE, account, managedInstanceId, contentOf(options), at)
    // It runs already: the step before launched it.
    for (const machine of instance.machines) machine.requestedAt = at - RUNNING_AFTER_MS
  }
}

/** Image and network, which only AWS knows, are made up from the id of the original. */
function contentOf (options: MigrationOptions): JsonObject {
  const { originalInstanceId: original, spotInstanceTypes: types } = options
  const madeUpId = (prefix: string) => derivedId(prefix, original, 17)
  return {
    name: options.managedInstanceName ?? original,
    region: options.region,
    strategy: { lifeCycle: 'spot', orientation: 'balanced', fallbackToOd: true, revertToSpot: { performAt: 'always' } },
    persistence: {
      persistRootDevice: true,
      persistBlockDevices: true,
      persistPrivateIp: options.shouldKeepPrivateIp,
      blockDevicesMode: 'onLaunch'
    },
    compute: {
      product: options.product,
      vpcId: madeUpId('vpc'),
      subnetIds: options.subnetIds.length > 0 ? options.subnetIds : [madeUpId('subnet')],
      launchSpecification: {
        imageId: madeUpId('ami'),
        securityGroupIds: [madeUpId('sg')],
        instanceTypes: { preferredType: types[0] ?? 'm5.large', types: types.length > 0 ? types : ['m5.large'] },
        tags: []
      }
    },
    integrations: {},
    scheduling: {}
  }
}
