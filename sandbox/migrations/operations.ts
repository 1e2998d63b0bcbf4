import type { Context, Operation } from '../operation.js'
import { below, readBody } from '../protocol/body.js'
import type { Result } from '../protocol/envelope.js'
import { refusal, SandboxError } from '../protocol/errors.js'
import { read, readBoolean, readObjects, readString, readStrings } from '../protocol/json.js'
import type { Rule } from '../protocol/validation.js'
import { migrate, migrationStep } from './engine.js'
import type { Migration, MigrationOptions } from './model.js'
import { KIND as MANAGED_INSTANCE_KIND } from '../managed-instances/engine.js'

const PATH = '/aws/ec2/managedInstance/migration'
const KIND = `${MANAGED_INSTANCE_KIND}:migration`

/** Turning EC2 instances into managed instances. */
export const migrations: Operation[] = [
  { method: 'POST', path: PATH, kind: KIND, handle: start },
  { method: 'POST', path: `${PATH}/bulk`, kind: KIND, handle: startMany },
  { method: 'POST', path: `${PATH}/search`, kind: KIND, handle: search },
  { method: 'GET', path: `${PATH}/{MIGRATION_ID}`, kind: KIND, handle: get }
]

const RULES: Rule[] = [
  { path: 'originalInstanceId', type: 'string', required: true },
  { path: 'region', type: 'string', required: true },
  { path: 'managedInstanceName', type: 'string' },
  { path: 'product', type: 'string' },
  { path: 'shouldKeepPrivateIp', type: 'boolean' },
  { path: 'shouldKeepMetadataOptions', type: 'boolean' },
  { path: 'shouldTerminateInstance', type: 'boolean' },
  { path: 'spotInstanceTypes', type: 'array' },
  { path: 'spotInstanceTypes[]', type: 'string' },
  { path: 'availabilityZones', type: 'array' },
  { path: 'availabilityZones[]', type: 'object' },
  { path: 'availabilityZones[].name', type: 'string' },
  { path: 'availabilityZones[].subnetIds', type: 'array' },
  { path: 'availabilityZones[].subnetIds[]', type: 'string' }
]

function start ({ account, body, now }: Context): object[] {
  const sent = readBody(body, [{ path: 'migration', type: 'object', required: true }, ...below('migration', RULES)])
  return [started(migrate(account, readOptions(read(sent, 'migration')), now), now)]
}

/** What cannot be migrated is listed in `failures` beside the items; the rest is migrated. */
function startMany ({ account, body, now }: Context): Result {
  const sent = readBody(body, [
    { path: 'migrations', type: 'array', required: true, minItems: 1 },
    { path: 'migrations[]', type: 'object' },
    ...below('migrations[]', RULES)
  ])
  const items: object[] = []
  const failures: object[] = []
  for (const options of readObjects(sent, 'migrations').map(readOptions)) {
    try {
      const { managedInstanceName } = options
      items.push(started(migrate(account, options, now), now, { managedInstanceName }))
    } catch (error) {
      if (!(error instanceof SandboxError)) throw error
      failures.push({ resourceId: options.originalInstanceId, errorMessage: error.message })
    }
  }
  return { items, beside: { failures } }
}

/** Unknown ids are skipped. */
function search ({ account, body, now }: Context): object[] {
  const sent = readBody(body, [
    { path: 'migrationIds', type: 'array', required: true, minItems: 1 }, { path: 'migrationIds[]', type: 'string' }
  ])
  return [...new Set(readStrings(sent, 'migrationIds'))]
    .flatMap((id) => account.migrations.get(id) ?? [])
    .map((migration) => show(migration, now))
}

function get ({ account, params, now }: Context): object[] {
  const migration = account.migrations.get(params.MIGRATION_ID ?? '')
  if (migration === undefined) throw refusal('MIGRATION_DOESNT_EXIST')
  return [show(migration, now)]
}

/** `more` is added to `data`: only the bulk operation repeats the name. */
function started (migration: Migration, now: number, more: object = {}): object {
  const { options } = migration
  return {
    migrationId: migration.id,
    managedInstanceId: migration.managedInstanceId,
    data: {
      originalInstanceId: options.originalInstanceId,
      ...more,
      shouldKeepPrivateIp: options.shouldKeepPrivateIp,
      shouldKeepMetadataOptions: options.shouldKeepMetadataOptions,
      shouldTerminateInstance: options.shouldTerminateInstance
    },
    state: migrationStep(migration, now).state
  }
}

function show (migration: Migration, now: number): object {
  const { state, description } = migrationStep(migration, now)
  return {
    migrationId: migration.id,
    managedInstanceId: migration.managedInstanceId,
    instanceId: migration.options.originalInstanceId,
    state,
    stateDescription: description
  }
}

function readOptions (sent: unknown): MigrationOptions {
  return {
    originalInstanceId: readString(sent, 'originalInstanceId') ?? '',
    region: readString(sent, 'region') ?? '',
    managedInstanceName: readString(sent, 'managedInstanceName'),
    product: readString(sent, 'product') ?? 'Linux/UNIX',
    shouldKeepPrivateIp: readBoolean(sent, 'shouldKeepPrivateIp') ?? false,
    shouldKeepMetadataOptions: readBoolean(sent, 'shouldKeepMetadataOptions') ?? false,
    shouldTerminateInstance: readBoolean(sent, 'shouldTerminateInstance') ?? false,
    spotInstanceTypes: readStrings(sent, 'spotInstanceTypes'),
    subnetIds: readObjects(sent, 'availabilityZones').flatMap((zone) => readStrings(zone, 'subnetIds'))
  }
}
