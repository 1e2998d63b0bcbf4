import type { Context, Operation } from '../operation.js'
import { below, readBody } from '../protocol/body.js'
import type { Found } from '../protocol/envelope.js'
import { refusal, SandboxError } from '../protocol/errors.js'
import { read, readBoolean, readObjects, readString, readStrings } from '../protocol/json.js'
import type { Rule } from '../protocol/validation.js'
import { migrate, stepAt } from './migrating.js'
import type { Migration, MigrationOrder } from './migration.js'
import { KIND as MANAGED_INSTANCE_KIND } from './noun.js'

const PATH = '/aws/ec2/managedInstance/migration'
const KIND = `${MANAGED_INSTANCE_KIND}:migration`

/** Making managed instances of instances of AWS. */
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
  return [started(migrate(account, readOrder(read(sent, 'migration')), now), now)]
}

/** What cannot be migrated is listed in `failures` beside the items, and the rest goes on. */
function startMany ({ account, body, now }: Context): Found {
  const sent = readBody(body, [
    { path: 'migrations', type: 'array', required: true, minItems: 1 },
    { path: 'migrations[]', type: 'object' },
    ...below('migrations[]', RULES)
  ])
  const items: object[] = []
  const failures: object[] = []
  for (const order of readObjects(sent, 'migrations').map(readOrder)) {
    try {
      const { managedInstanceName } = order
      items.push(started(migrate(account, order, now), now, { managedInstanceName }))
    } catch (error) {
      if (!(error instanceof SandboxError)) throw error
      failures.push({ resourceId: order.originalInstanceId, errorMessage: error.message })
    }
  }
  return { items, beside: { failures } }
}

/** Ids that are unknown find nothing. */
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

/** `more` is what `data` holds besides: only the bulk operation repeats the name. */
function started (migration: Migration, now: number, more: object = {}): object {
  const { order } = migration
  return {
    migrationId: migration.id,
    managedInstanceId: migration.managedInstanceId,
    data: {
      originalInstanceId: order.originalInstanceId,
      ...more,
      shouldKeepPrivateIp: order.shouldKeepPrivateIp,
      shouldKeepMetadataOptions: order.shouldKeepMetadataOptions,
      shouldTerminateInstance: order.shouldTerminateInstance
    },
    state: stepAt(migration, now).state
  }
}

function show (migration: Migration, now: number): object {
  const { state, description } = stepAt(migration, now)
  return {
    migrationId: migration.id,
    managedInstanceId: migration.managedInstanceId,
    instanceId: migration.order.originalInstanceId,
    state,
    stateDescription: description
  }
}

function readOrder (sent: unknown): MigrationOrder {
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
