import type { Context, Operation } from '../operation.js'
import { below, readBody } from '../protocol/body.js'
import { invalid, refusal } from '../protocol/errors.js'
import { read, readBoolean, readObjects, readString, readStrings } from '../protocol/json.js'
import type { Rule } from '../protocol/validation.js'
import { cancel, importInstance, stepOf, terminateOriginal } from './engine.js'
import type { StatefulImport, StatefulImportOptions } from './model.js'

const PATH = '/aws/ec2/statefulMigrationGroup'
const ONE = `${PATH}/{statefulMigrationGroupId}`
const KIND = 'spotinst:aws:ec2:statefulMigrationGroup'

/** Turning EC2 instances into stateful groups. */
export const statefulImports: Operation[] = [
  { method: 'POST', path: PATH, kind: KIND, handle: start },
  { method: 'GET', path: ONE, kind: KIND, handle: get },
  { method: 'DELETE', path: ONE, kind: KIND, handle: discard },
  { method: 'POST', path: `${ONE}/userAction`, kind: KIND, handle: act }
]

const RULES: Rule[] = [
  { path: 'originalInstanceId', type: 'string', required: true },
  { path: 'name', type: 'string', required: true },
  { path: 'shouldKeepPrivateIp', type: 'boolean', required: true },
  { path: 'shouldTerminateInstance', type: 'boolean' },
  { path: 'region', type: 'string' },
  { path: 'product', type: 'string' },
  { path: 'spotInstanceTypes', type: 'array' },
  { path: 'spotInstanceTypes[]', type: 'string' },
  { path: 'availabilityZones', type: 'array', minItems: 1 },
  { path: 'availabilityZones[]', type: 'object' },
  { path: 'availabilityZones[].name', type: 'string' },
  { path: 'availabilityZones[].subnetIds', type: 'array' },
  { path: 'availabilityZones[].subnetIds[]', type: 'string' }
]

function start ({ account, body, now }: Context): object[] {
  const sent = read(readBody(body, [
    { path: 'statefulMigrationGroup', type: 'object', required: true }, ...below('statefulMigrationGroup', RULES)
  ]), 'statefulMigrationGroup')
  const options = readOptions(sent)
  if (options.shouldKeepPrivateIp && options.availabilityZones !== undefined) {
    // Vendor OpenAPI: the zones must be null then.
    const field = 'statefulMigrationGroup.availabilityZones'
    throw invalid([{ message: '"availabilityZones" is not allowed', field }])
  }
  const one = importInstance(account, options, now)
  const { originalInstanceId, shouldKeepPrivateIp, shouldTerminateInstance } = options
  return [{ ...show(one, now), data: { originalInstanceId, shouldKeepPrivateIp, shouldTerminateInstance } }]
}

function get (context: Context): object[] {
  const one = find(context)
  const { state, description } = stepOf(one, context.now)
  return [{
    statefulMigrationId: one.id,
    groupId: one.groupId,
    instanceId: one.options.originalInstanceId,
    state,
    stateDescription: description
  }]
}

function discard (context: Context): object[] {
  const one = find(context)
  cancel(one, context.now)
  return [show(one, context.now)]
}

function act (context: Context): object[] {
  const one = find(context)
  readBody(context.body, [
    { path: 'userAction', type: 'object', required: true },
    { path: 'userAction.type', type: 'string', required: true, oneOf: ['terminate'] }
  ])
  terminateOriginal(context.account, one, context.now)
  return [show(one, context.now)]
}

function show (one: StatefulImport, now: number): object {
  return { id: one.id, groupId: one.groupId, state: stepOf(one, now).state }
}

function find ({ account, params }: Context): StatefulImport {
  const one = account.statefulImports.get(params.statefulMigrationGroupId ?? '')
  if (one === undefined) throw refusal('MIGRATION_DOESNT_EXIST')
  return one
}

function readOptions (sent: unknown): StatefulImportOptions {
  const zones = readObjects(sent, 'availabilityZones')
  return {
    originalInstanceId: readString(sent, 'originalInstanceId') ?? '',
    name: readString(sent, 'name') ?? '',
    region: readString(sent, 'region'),
    product: readString(sent, 'product'),
    shouldKeepPrivateIp: readBoolean(sent, 'shouldKeepPrivateIp') ?? false,
    shouldTerminateInstance: readBoolean(sent, 'shouldTerminateInstance') ?? false,
    spotInstanceTypes: readStrings(sent, 'spotInstanceTypes'),
    availabilityZones: zones.length > 0 ? zones : undefined
  }
}
