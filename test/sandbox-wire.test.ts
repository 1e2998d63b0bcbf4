import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import formats from 'ajv-formats'
import t from 'tap'
import { BROKEN_RULE } from '../sandbox/index.js'
import { OPERATIONS } from '../sandbox/operations.js'
import { group, ids, managedInstance, migration, START, startClient, statefulGroup } from './sandbox-client.js'
import type { Client } from './sandbox-client.js'

interface Shape { kind?: string, item?: string, beside?: Record<string, string> }
interface Shapes { definitions: Record<string, object>, operations: Record<string, Shape> }
interface Reply { operation: string, status: number, json: { response: { items?: object[] } } }
interface Schema {
  $ref?: string
  allOf?: Schema[]
  anyOf?: Schema[]
  items?: Schema
  properties?: Record<string, Schema>
  additionalProperties?: unknown
}

const shapes = JSON.parse(readFileSync(new URL('wire-shapes.json', import.meta.url), 'utf8')) as Shapes
const vendorFile = process.env.SPOT_UPSTREAM_OPENAPI

t.test('there is one shape for each operation of the sandbox', async (t) => {
  const operations = OPERATIONS.map(({ method, path }) => `${method} ${path}`)
  t.strictSame(operations.sort(), Object.keys(shapes.operations).sort())
})

t.test('each reply of each operation has the shape that clients see', async (t) => {
  const replies = await everyReply(t)
  const ajv = new Ajv({ schemas: [{ $id: 'shapes', definitions: shapes.definitions }], strict: false, allErrors: true })
  for (const { operation, status, json } of replies) {
    const shape = shapes.operations[operation] ?? {}
    const valid = ajv.validate(status === 200 ? envelopeOf(shape) : ref('failure'), json)
    t.ok(valid, `${operation} ${status}`, { faults: ajv.errors, json })
  }
  const answered = new Set(replies.filter(({ status }) => status === 200).map(({ operation }) => operation))
  t.strictSame([...answered].sort(), Object.keys(shapes.operations).sort(), 'every operation has answered')
  const empty = Object.keys(shapes.operations).filter((operation) =>
    ![undefined, 'never'].includes(shapes.operations[operation]?.item) &&
    !replies.some((reply) => reply.operation === operation && (reply.json.response.items ?? []).length > 0))
  t.strictSame(empty, [], 'and has shown an item')
})

/**
 * Where replies hold what the vendor's document does not know, or otherwise than it says, and why. Nowhere else.
 * `*` stands for any index. The document meant is the one with its known defects corrected: as published it wraps what
 * is created and updated, mistypes costs and events, and has no GET of a single roll.
 */
const EXCEPTIONS: Record<string, Record<string, string>> = {
  'POST /aws/ec2/instance/signal': {
    '/response/kind': 'below `status` in this one operation; all the others have it beside',
    '/response/items': 'the same',
    '/response/count': 'the same'
  },
  'GET /aws/ec2/managedInstance/{MI_ID}/status': {
    '/response/items/*/ipv6Address': 'not in the document; group status and Go SDK have it',
    '/response/items/*/instanceId': 'null while nothing runs; for the status of groups the document allows that',
    '/response/items/*/privateIp': 'the same',
    '/response/items/*/publicIp': 'the same',
    '/response/items/*/launchedAt': 'the same',
    '/response/items/*/instanceType': 'the same, while it is paused'
  },
  'PUT /aws/ec2/group/{groupId}/scale/down': {
    '/request/timestamp': 'called "time" in this one operation; all the others have a timestamp'
  },
  'PUT /aws/ec2/group/{groupId}/scale/up': {
    '/response/items/*/newSpotRequests/*/spotInstanceRequestId': 'the document leaves the object open; Go SDK',
    '/response/items/*/newSpotRequests/*/instanceType': 'the same',
    '/response/items/*/newSpotRequests/*/availabilityZone': 'the same',
    '/response/items/*/newInstances/*/instanceId': 'the same',
    '/response/items/*/newInstances/*/instanceType': 'the same',
    '/response/items/*/newInstances/*/availabilityZone': 'the same'
  }
}

t.test('every operation of the vendor\'s document answers, and each reply is valid by it, apart from what is listed', {
  skip: vendorFile === undefined && 'SPOT_UPSTREAM_OPENAPI names no file with the OpenAPI document of the vendor'
}, async (t) => {
  const document = JSON.parse(readFileSync(vendorFile ?? '', 'utf8')) as Schema
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: true })
  formats.default(ajv)
  ajv.addSchema(document, 'vendor')
  const used = new Map<string, Set<string>>()
  const conforming = new Set<string>()
  for (const { operation, status, json } of await everyReply(t)) {
    const [method = '', path = ''] = operation.split(' ')
    const pointer = `/paths/${path.replaceAll('/', '~1')}/${method.toLowerCase()}`
    const $ref = `#${pointer}/responses/${status}`
    const response = resolve(document, { $ref }) as { content?: Record<string, object> }
    const schema = response.content?.['application/json'] as { schema: Schema } | undefined
    if (schema === undefined) {
      t.ok(UNDOCUMENTED.includes(operation), `${operation} is not in the document, as we know`)
      continue
    }
    const excepted = EXCEPTIONS[operation] ?? {}
    const validate = ajv.compile({ ...inVendor(schema.schema) as object })
    validate(json)
    const faults = [
      ...(validate.errors ?? []).map(({ instancePath, message }) => [instancePath, message]),
      ...strangers(document, schema.schema, json).map((place) => [place, 'is not in the document'])
    ].filter(([place = '']) => {
      const anywhere = place.replace(/\/\d+(?=\/|$)/g, '/*')
      if (excepted[anywhere] === undefined) return true
      used.set(operation, (used.get(operation) ?? new Set()).add(anywhere))
      return false
    })
    if (t.strictSame(faults, [], `${operation} ${status}`) && status === 200) conforming.add(operation)
  }
  const { paths } = document as { paths: Record<string, Record<string, object>> }
  const all = Object.entries(paths).flatMap(([path, methods]) => Object.keys(methods)
    .filter((method) => ['get', 'put', 'post', 'delete'].includes(method))
    .map((method) => `${method.toUpperCase()} ${path}`))
  t.comment(`${conforming.size} of ${all.length} operations answer and conform`)
  t.strictSame(all.filter((operation) => !conforming.has(operation)), [])
  t.strictSame(UNDOCUMENTED.filter((operation) => all.includes(operation)), [])
  for (const [operation, places] of Object.entries(EXCEPTIONS)) {
    t.strictSame([...used.get(operation) ?? []].sort(), Object.keys(places).sort(), `${operation}: nothing too many`)
  }
})

/** Operations that are not in the vendor's document, but that its SDKs and its Terraform provider call. */
const UNDOCUMENTED = [
  'GET /aws/ec2/group/beanstalk/import',
  'PUT /aws/ec2/group/{groupId}/beanstalk/reimport',
  'PUT /aws/ec2/group/{groupId}/beanstalk/maintenance/start',
  'PUT /aws/ec2/group/{groupId}/beanstalk/maintenance/finish',
  'GET /aws/ec2/group/{groupId}/beanstalk/maintenance/status',
  'PUT /aws/ec2/group/{groupId}/codeDeploy/blueGreenDeployment/{deploymentId}/stop',
  'POST /aws/ec2/group/{groupId}/roll/{rollId}',
  'POST /aws/ec2/group/{groupId}/clusterRoll',
  'GET /aws/ec2/group/{groupId}/clusterRoll/{rollId}'
]

/** Calls every operation, in most of the states that change its reply, and one or the other time in vain. */
async function everyReply (t: Parameters<typeof startClient>[0]): Promise<Reply[]> {
  const client = await startClient(t)
  const replies: Reply[] = []
  const call = async (method: string, path: string, body?: unknown) => {
    const { status, json, items } = await client.call(method, path, body)
    const route = client.transcript.at(-1)?.route ?? ''
    replies.push({ operation: `${method} ${route}`, status, json: json as unknown as Reply['json'] })
    return items
  }
  await groups(client, call)
  await groupInstances(client, call)
  await statefulInstances(client, call)
  await managedInstances(client, call)
  await statefulImports(client, call)
  await deployments(client, call)
  await listenerRules(client, call)
  await undocumented(client, call)
  return replies
}

type Call = (method: string, path: string, body?: unknown) => Promise<{ [key: string]: unknown }[]>

const idOf = (items: { [key: string]: unknown }[], key = 'id') => String(items[0]?.[key])

async function groups (client: Client, call: Call): Promise<void> {
  const strategy = { onDemandCount: 1, risk: null }
  const path = `/aws/ec2/group/${idOf(await call('POST', '/aws/ec2/group', group({ strategy })))}`
  await call('POST', '/aws/ec2/group', { group: {} })
  await call('GET', `${path}/status`)
  client.pass(30)
  await call('GET', `${path}/instanceHealthiness`)
  client.pass(3600)
  const launchSpecification = { healthCheckType: 'HCS' }
  await call('PUT', path, { group: { compute: { launchSpecification }, description: null } })
  for (const suffix of [
    '', '/status', '/instanceHealthiness', '/costs?fromDate=2026-03-10&toDate=2026-03-11',
    '/costs/detailed?fromDate=2026-03-10&toDate=2026-03-11'
  ]) await call('GET', path + suffix)
  await call('GET', '/aws/ec2/group')
  await call('PUT', `${path}/capacity`, { capacity: { target: 3, minimum: 1 } })
  await call('PUT', `${path}/capacity`, {})
  await call('PUT', `${path}/scale/up?adjustment=2`)
  await call('PUT', `${path}/scale/down?adjustment=1`)
  // On demand all of them, so that these show as well.
  await call('PUT', path, { group: { strategy: { onDemandCount: 20 } } })
  await call('PUT', `${path}/scale/up`)
  await call('PUT', `${path}/scale/down`)
  await call('GET', `${path}/suspension`)
  await call('POST', `${path}/suspension`, { processes: ['AUTO_SCALE'] })
  await call('POST', `${path}/suspension`, { suspensions: [{ name: 'SCHEDULING', ttlInMinutes: 5 }] })
  await call('DELETE', `${path}/suspension`, { processes: ['AUTO_SCALE'] })
  await call('DELETE', `${path}/suspension`, { processes: ['AUTO_SCALE'] })
  client.pass(60)
  const instancesToDetach = [idOf(await call('GET', `${path}/status`), 'instanceId')]
  await call('PUT', `${path}/detachInstances`, { instancesToDetach })

  client.pass(60)
  await call('PUT', path, { group: { compute: { launchSpecification: { imageId: 'ami-00000bad0000000000' } } } })
  const order = { batchSizePercentage: 50, gracePeriod: 60 }
  const roll = `${path}/roll/${idOf(await call('PUT', `${path}/roll`, order))}`
  await call('PUT', `${path}/roll`, order)
  for (const seconds of [0, 15, 60, 60]) {
    client.pass(seconds)
    await call('GET', roll)
    await call('GET', `${roll}/status`)
  }
  await call('POST', `${roll}/action`, { actionType: 'DETACH_NEW' })
  await call('PUT', roll, { roll: { status: 'STOPPED' } })
  await call('GET', `${path}/roll`)
  await call('GET', `${path}/events?fromDate=2026-03-01`)
  await call('GET', `${path}/logs?fromDate=0&toDate=${START * 2}`)
  await call('DELETE', path, { beanstalk: { rollbackToAsg: true } })
  await call('GET', '/aws/ec2/group?includeDeleted=true')
}

async function groupInstances (client: Client, call: Call): Promise<void> {
  const path = await client.grow(group({ scaling: { up: [{ policyName: 'busy' }] } }))
  const [first, second] = ids(await client.get(`${path}/status`))
  const one = `/aws/ec2/instance/${first}`
  await call('GET', one)
  await call('POST', `${one}/lock?ttlInMinutes=5`)
  await call('GET', `${path}/status`)
  for (const verb of ['unlock', 'standby/enter', 'standby/exit', 'standby/exit']) await call('POST', `${one}/${verb}`)
  await call('POST', '/aws/ec2/instance/signal', { instanceId: first, signal: 'INSTANCE_READY' })
  await call('POST', '/aws/ec2/instance/interruption', { instancesToInterrupt: [second] })
  await call('POST', `${path}/scale/suspendPolicy?policyName=busy`, { suspension: { ttlInMinutes: 10 } })
  await call('GET', `${path}/scale/suspensions`)
  await call('POST', `${path}/scale/resumePolicy?policyName=busy`)
  await call('POST', `${path}/amiBackup`)
  const imported = { group: { name: 'imported', spotInstanceTypes: ['c5.large'] } }
  await call('POST', '/aws/ec2/group/instance/import?region=us-east-1&instanceId=i-1', imported)
  await call('POST', '/aws/ec2/group/autoScalingGroup/import?region=us-east-1&autoScalingGroupName=web', imported)
  await call('GET', '/aws/ec2/spotType?region=us-east-1')
}

async function statefulInstances (client: Client, call: Call): Promise<void> {
  const path = `${await client.grow(statefulGroup())}/statefulInstance`
  const [one, two] = await call('GET', path)
  for (const verb of ['pause', 'resume', 'recycle', 'deallocate', 'pause']) {
    await call('PUT', `${path}/${one?.id}/${verb}`)
    await call('GET', path)
    client.pass(60)
    await call('GET', path)
  }
  const [device] = two?.devices as { volumeId: string }[]
  await call('DELETE', `${path}/${two?.id}/volume/${device?.volumeId}`)
}

async function managedInstances (client: Client, call: Call): Promise<void> {
  const all = '/aws/ec2/managedInstance'
  const id = idOf(await call('POST', all, managedInstance()))
  const path = `${all}/${id}`
  await call('GET', `${path}/status`)
  client.pass(60)
  await call('PUT', path, { managedInstance: { description: 'kept' } })
  for (const url of [all, path, `${path}/status`, `${path}/costs`, `${all}/smi-00000000/status`]) await call('GET', url)
  for (const verb of ['pause', 'resume', 'recycle']) {
    await call('PUT', `${path}/${verb}`)
    await call('GET', `${path}/status`)
    client.pass(60)
    await call('GET', `${path}/status`)
  }
  await call('PUT', `${all}/state`, { managedInstanceStates: [{ id, state: 'PAUSE' }] })
  await call('PUT', `${all}/state`, { managedInstanceStates: [{ id, state: 'PAUSE' }] })
  await call('DELETE', `${path}/volume/vol-1`)
  const migrationId = idOf(await call('POST', `${all}/migration`, { migration: migration('i-1') }), 'migrationId')
  await call('POST', `${all}/migration/bulk`, {
    migrations: [migration('i-1'), migration('i-2', { managedInstanceName: 'moved' })]
  })
  client.pass(1000)
  await call('GET', `${all}/migration/${migrationId}`)
  await call('POST', `${all}/migration/search`, { migrationIds: [migrationId] })
  await call('GET', all)
  await call('DELETE', path, { deallocationConfig: { shouldTerminateInstance: true } })
  await call('GET', path)
}

async function statefulImports (client: Client, call: Call): Promise<void> {
  const all = '/aws/ec2/statefulMigrationGroup'
  const start = async (originalInstanceId: string) => `${all}/${idOf(await call('POST', all, {
    statefulMigrationGroup: { originalInstanceId, name: 'moved', shouldKeepPrivateIp: true }
  }))}`
  const path = await start('i-1')
  await call('POST', all, { statefulMigrationGroup: {} })
  for (const seconds of [0, 160]) {
    client.pass(seconds)
    await call('GET', path)
    await call('POST', `${path}/userAction`, { userAction: { type: 'terminate' } })
  }
  await call('DELETE', await start('i-2'))
}

async function deployments (client: Client, call: Call): Promise<void> {
  const path = `${await client.grow(group())}/codeDeploy/blueGreenDeployment`
  const deploymentGroups = [{ applicationName: 'app', deploymentGroupName: 'all' }]
  const deployment = { timeout: 20, tags: [{ tagKey: 'ver', tagValue: 'pink' }], deploymentGroups }
  await call('POST', path, { deployment })
  await call('POST', path, { deployment: {} })
  const [{ id } = {}] = await call('GET', path)
  await call('PUT', `${path}/${id}/stop`)
  await call('PUT', `${path}/${id}/stop`)
}

async function undocumented (client: Client, call: Call): Promise<void> {
  await call('GET', '/aws/ec2/group/beanstalk/import?region=us-east-1&environmentId=e-1')
  await call('GET', '/aws/ec2/group/beanstalk/import?region=us-east-1')
  const path = await client.grow(group())
  for (const verb of ['maintenance/start', 'maintenance/start', 'maintenance/finish', 'reimport']) {
    await call('PUT', `${path}/beanstalk/${verb}`)
    await call('GET', `${path}/beanstalk/maintenance/status`)
  }
  const order = { roll: { batchSizePercentage: 50, comment: 'new image' } }
  const roll = idOf(await call('POST', `${path}/clusterRoll`, order))
  await call('GET', `${path}/clusterRoll/${roll}`)
  await call('PUT', `${path}/roll/${roll}`, { roll: { status: 'STOPPED' } })
  await call('PUT', path, { group: { compute: { launchSpecification: { imageId: 'ami-00000bad0000000000' } } } })
  const failing = idOf(await call('PUT', `${path}/roll`, { batchSizePercentage: 100, gracePeriod: 0 }))
  client.pass(60)
  await call('POST', `${path}/roll/${failing}`, { actionType: 'DETACH_NEW' })
}

async function listenerRules (client: Client, call: Call): Promise<void> {
  const balancing = 'arn:aws:elasticloadbalancing:us-east-1:123456789012'
  const listenerRules = [{ ruleArn: `${balancing}:listener-rule/app${BROKEN_RULE}` }]
  const compute = { launchSpecification: { imageId: 'ami-1', itf: { loadBalancers: [{ listenerRules }] } } }
  const path = `${await client.grow(group({ compute }))}/itf/migration`
  const id = idOf(await call('GET', path))
  for (let times = 0; times < 2; times++) await call('PUT', `${path}/${id}`, { status: 'USER_RETRY' })
}

function ref (name: string): object {
  return { $ref: `shapes#/definitions/${name}` }
}

/** The whole reply of an operation when it succeeds: nothing more and nothing less. */
function envelopeOf ({ kind, item, beside = {} }: Shape): object {
  const list = (name: string) => ({ type: 'array', items: ref(name) })
  const response = {
    status: { const: { code: 200, message: 'OK' } },
    ...kind === undefined ? {} : { kind: { const: kind } },
    ...item === undefined ? {} : { items: list(item), count: { type: 'integer' } },
    ...Object.fromEntries(Object.entries(beside).map(([name, one]) => [name, list(one)]))
  }
  return closed({ request: ref('request'), response: closed(response) })
}

function closed (properties: object): object {
  return { type: 'object', properties, required: Object.keys(properties), additionalProperties: false }
}

/** The schema with its references led into the registered document. */
function inVendor (schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(inVendor)
  if (typeof schema !== 'object' || schema === null) return schema
  return Object.fromEntries(Object.entries(schema).map(([key, value]) =>
    [key, key === '$ref' && typeof value === 'string' ? `vendor${value}` : inVendor(value)]))
}

function resolve (document: object, schema: Schema): Schema {
  if (schema.$ref === undefined) return schema
  let found: unknown = document
  for (const key of schema.$ref.slice(2).split('/')) {
    const name = decodeURIComponent(key).replaceAll('~1', '/').replaceAll('~0', '~')
    found = (found as Record<string, unknown> | undefined)?.[name]
  }
  return found === undefined ? {} : resolve(document, found as Schema)
}

/** JSON pointers of the properties that the schema does not name, where it names any at all. */
function strangers (document: object, schema: Schema, value: unknown, at = ''): string[] {
  const parts = flatten(document, schema)
  if (Array.isArray(value)) {
    const items = parts.flatMap((part) => part.items ?? [])
    return items.length === 0
      ? []
      : value.flatMap((element, index) => strangers(document, { allOf: items }, element, `${at}/${index}`))
  }
  if (typeof value !== 'object' || value === null || parts.some((part) => part.additionalProperties === true)) return []
  return Object.entries(value).flatMap(([key, inner]) => {
    const known = parts.flatMap((part) => part.properties?.[key] ?? [])
    return known.length === 0 ? [`${at}/${key}`] : strangers(document, { allOf: known }, inner, `${at}/${key}`)
  })
}

function flatten (document: object, schema: Schema): Schema[] {
  const found = resolve(document, schema)
  return [found, ...[...found.allOf ?? [], ...found.anyOf ?? []].flatMap((part) => flatten(document, part))]
}
