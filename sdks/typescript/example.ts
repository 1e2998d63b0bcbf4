// How spot-api is used, step by step.
// Usage: SPOT_API_URL=… SPOT_API_KEY=… SPOT_API_ACCOUNT=… node example.js
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { env } from 'node:process'
import {
  connect, createElastigroup, createRoll, deleteElastigroup, getElastigroup, getElastigroupCosts,
  getElastigroupReadiness, getRoll, listElastigroups, SpotApiError, stopRoll, updateElastigroup, waitUntilReady,
  type ElastigroupCreate
} from 'spot-api-client'

const { SPOT_API_URL: url = 'http://127.0.0.1:8080', SPOT_API_ACCOUNT: account = 'demo' } = env
const { SPOT_API_KEY: key, SPOT_API_TOKEN: token, SPOT_API_GROUP } = env
const say = (step: string, words: unknown) => console.log(`${step}: ${String(words)}`)
/** The error that a call must end with. */
const failure = (call: Promise<unknown>) => call.then(
  () => assert.fail('It did not fail.'),
  (error) => error instanceof SpotApiError ? error : assert.fail(error))

// five calls
const name = `example-${randomUUID().slice(0, 8)}`
const body: ElastigroupCreate = {
  name,
  description: 'made by an example',
  region: 'us-east-1',
  strategy: { risk: 100, fallbackToOd: true },
  capacity: { minimum: 0, target: 1, maximum: 2, unit: 'instance' },
  compute: {
    product: 'Linux/UNIX',
    instanceTypes: { ondemand: 't3.micro', spot: ['t3.micro', 't3a.micro'] },
    availabilityZones: [{ name: 'us-east-1a', subnetIds: ['subnet-0f1e2d3c'] }],
    launchSpecification: { imageId: 'ami-0a1b2c3d', tags: [{ tagKey: 'team', tagValue: 'examples' }] }
  }
}

const client = await connect({ url, key, token })

// Keep the Idempotency-Key until you have an answer: whoever sends the same request with it gets the same group.
const headers = { 'Idempotency-Key': randomUUID() }
const { data: group } = await createElastigroup({ client, path: { account }, body, headers })
const path = { account, elastigroup: group.id as string }

// Asks as often as the server says.
const readiness = await waitUntilReady(() => getElastigroupReadiness({ client, path }))

// What is not in the body stays as it is, and null clears it. With If-Match, nobody's change is lost.
const { data: read, response } = await getElastigroup({ client, path })
const ifMatch = { 'If-Match': response.headers.get('ETag') as string }
const { data: changed } = await updateElastigroup({ client, path, body: { description: null }, headers: ifMatch })

const { data: found } = await listElastigroups({ client, path: { account }, query: { name, tag: ['team:examples'] } })
// end

const { data: repeated } = await createElastigroup({ client, path: { account }, body, headers })
assert.equal(repeated.id, group.id)
say('create', group.id)

assert.equal(read.name, name)
assert.equal(read.description, body.description)
say('read', `${read.name}, ${read.description}`)

assert.equal(changed.description, null)
assert.deepEqual(changed.capacity, read.capacity)
say('change', `the description is ${changed.description}`)

const late = await failure(updateElastigroup({ client, path, body: { name: 'lost' }, headers: ifMatch }))
assert.equal(late.problem.status, 412)
say('if-match', late.problem.title)

assert.deepEqual(found.map(({ id }) => id), [group.id])
say('list', `${found.length} group`)

assert.ok(readiness.running >= 1)
say('ready', `${readiness.running} of ${readiness.target}`)

const { data: costs } = await getElastigroupCosts({ client, path })
assert.equal(typeof costs.costs?.actual, 'number')
say('costs', costs.costs?.actual)

const { data: begun } = await createRoll({ client, path, body: { batchSizePercentage: 100, gracePeriod: 600 } })
const roll = { ...path, roll: begun.id as string }
const { data: { status } } = await getRoll({ client, path: roll })
await stopRoll({ client, path: roll })
say('roll', `${begun.id}, ${status}`)

const missing = await failure(getElastigroup({ client, path: { account, elastigroup: 'sig-00000000' } }))
assert.equal(missing.problem.status, 404)
// Decide by the type, and have a branch for those that you do not know.
say('problem', `${missing.problem.status} ${missing.problem.type}`)

// Nothing is lost on the way: nulls, zeros, empty arrays, and fields that this package does not know.
const other = { account, elastigroup: SPOT_API_GROUP ?? path.elastigroup }
const { data: whole } = await getElastigroup({ client, path: other })
const { data: same } = await updateElastigroup({ client, path: other, body: whole })
assert.deepEqual({ ...same, updatedAt: '' }, { ...whole, updatedAt: '' })
say('send back', `${Object.keys(whole).length} fields`)

await deleteElastigroup({ client, path })
assert.equal((await failure(getElastigroup({ client, path }))).problem.status, 404)
say('delete', group.id)
