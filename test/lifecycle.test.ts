import { readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import t from 'tap'
import { document } from '../openapi/document.js'
import { start } from './helper.js'

/** What is asked of a resource that is gone. */
const everyCall = [['GET', ''], ['PUT', ''], ['DELETE', ''], ['GET', '/status'], ['GET', '/costs']] as const

t.test('an Elastigroup is created, read, listed, updated and deleted', async (t) => {
  const { request, sandbox } = await start(t)
  const groups = '/v1/spot/demo/elastigroups'
  const before = (await request('GET', groups)).json
  t.ok(before.length > 0, 'the sandbox shows something at once')

  const body = example('ElastigroupCreate')
  const created = await request('POST', groups, { body })
  t.equal(created.status, 201)
  const path = created.headers.location as string
  const { id, createdAt, updatedAt, ...rest } = created.json
  t.equal(path, `${groups}/${id}`)
  t.strictSame(rest, body, 'what was created is what was sent, nulls and empty objects included')

  const listed = (await request('GET', groups)).json
  t.equal(listed.length, before.length + 1)
  t.match(listed.find((group: { id: string }) => group.id === id), {
    name: 'test202018', region: 'us-east-1', tags: [], capacity: { minimum: 2, target: 2, maximum: 4, unit: 'instance' }
  })
  t.strictSame((await request('GET', path)).json, created.json, 'show answers what create answered')

  const update = example('ElastigroupUpdate')
  const cleared = { ...update, scaling: { up: null }, compute: { ...update.compute, elasticIps: null } }
  const updated = await request('PUT', path, { body: cleared })
  t.equal(updated.status, 200)
  t.equal(updated.json.id, id, 'the id in the path rules')
  t.strictSame(updated.json.compute.launchSpecification.tags, [{ tagKey: 'food', tagValue: 'good' }])
  t.equal(updated.json.compute.launchSpecification.imageId, 'ami-00000000000000000', 'a missing key is left as it is')
  const received = { group: withoutId(cleared) }
  t.strictSame(sandbox.transcript.at(-1)?.body, received, 'Spot received the body without the id, nulls included')

  const pending = (await request('GET', `${path}/status`)).json
  t.strictSame(pending.map((row: { instanceId: null }) => row.instanceId), [null, null])
  sandbox.clock.advance(15 * 60_000)
  const running = (await request('GET', `${path}/status`)).json
  t.ok(running.every((row: { instanceId: string }) => row.instanceId.startsWith('i-')), 'the instances came up')

  const tomorrow = new Date(sandbox.clock.now() + 86_400_000).toISOString().slice(0, 10)
  const costs = (await request('GET', `${path}/costs?start=2020-01-01&end=${tomorrow}`)).json
  t.ok(costs.costs.actual > 0, 'running costs something')
  t.ok(costs.costs.actual < costs.costs.potential, 'and less than on demand')
  t.equal((await request('GET', `${path}/costs`)).status, 200)
  const { fromDate, toDate } = sandbox.transcript.at(-1)?.query as Record<string, string>
  const days = (Date.parse(toDate ?? '') - Date.parse(fromDate ?? '')) / 86_400_000
  t.ok(days >= 30 && days <= 31, `without days it is the last 30, and today: ${days}`)

  t.equal((await request('DELETE', path)).status, 204)
  for (const [method, suffix] of everyCall) {
    const gone = await request(method, path + suffix, method === 'PUT' ? { body: {} } : {})
    t.equal(gone.status, 404, `${method} ${suffix} of a deleted group`)
    t.match(gone.json, { type: /resource-not-found$/, upstream: { status: 400, errors: [{ code: 'GROUP_DOESNT_EXIST' }] } })
  }
  t.equal((await request('GET', groups)).json.length, before.length)
})

t.test('a managed instance is created, read, listed, updated and deleted', async (t) => {
  for (const listShape of ['wrapped', 'flat'] as const) {
    await t.test(`with the ${listShape} list`, async (t) => {
      const { request, sandbox } = await start(t, { sandbox: { listShape } })
      const instances = '/v1/spot/demo/instances'
      const before = (await request('GET', instances)).json
      t.ok(before.length > 0, 'the sandbox shows something at once')

      const body = example('ManagedInstanceCreate')
      const created = await request('POST', instances, { body })
      t.equal(created.status, 201)
      const path = created.headers.location as string
      const { id, createdAt, updatedAt, ...rest } = created.json
      t.equal(path, `${instances}/${id}`)
      t.strictSame(rest, body, 'what was created is what was sent')

      const listed = (await request('GET', instances)).json
      t.strictSame(listed.find((instance: { id: string }) => instance.id === id), {
        id,
        name: 'mi-test',
        description: 'My new Spot Instance',
        region: 'us-east-1',
        preferredType: 't3a.micro',
        tags: [{ tagKey: 'CreatedBy', tagValue: 'me' }],
        createdAt,
        updatedAt
      })
      t.strictSame((await request('GET', path)).json, created.json)

      const updated = await request('PUT', path, { body: { ...example('ManagedInstanceUpdate'), description: null } })
      t.equal(updated.status, 200)
      t.equal(updated.json.description, null, 'a null clears')
      t.strictSame(updated.json.compute.launchSpecification.tags, [{ tagKey: 'Environment', tagValue: 'dev' }])
      t.equal(updated.json.compute.launchSpecification.imageId, 'ami-02354e95b39ca8dec', 'a missing key is left')

      sandbox.clock.advance(15 * 60_000)
      const status = (await request('GET', `${path}/status`)).json
      t.match(status, { id, status: 'ACTIVE', instanceId: /^i-/ })
      const tomorrow = new Date(sandbox.clock.now() + 86_400_000).toISOString().slice(0, 10)
      const costs = (await request('GET', `${path}/costs?start=2020-01-01&end=${tomorrow}`)).json
      t.ok(costs.costs.actual > 0, 'running costs something')

      t.equal((await request('DELETE', `${path}?shouldDeleteVolumes=false`)).status, 204)
      t.strictSame(sandbox.transcript.at(-1)?.body, {
        deallocationConfig: {
          shouldTerminateInstance: true,
          shouldDeleteImages: true,
          shouldDeleteVolumes: false,
          shouldDeleteSnapshots: true,
          shouldDeleteNetworkInterfaces: true
        }
      }, 'everything goes but what was switched off')
      for (const [method, suffix] of everyCall) {
        const gone = await request(method, path + suffix, method === 'PUT' ? { body: {} } : {})
        t.equal(gone.status, 404, `${method} ${suffix} of a deleted instance, which Spot does not always report`)
      }
    })
  }
})

t.test('a create adds the default VPC of the account and the tag spinup:org', async (t) => {
  const { request, sandbox } = await start(t, { configuration: { organizationTag: 'spinners' } })
  type Sent = { compute: { vpcId?: string, launchSpecification: { tags: object[] } } }
  const sent = () => sandbox.transcript.at(-1)?.body as { managedInstance: Sent, group: Sent }
  const instance = example('ManagedInstanceCreate')
  const { vpcId, ...compute } = instance.compute

  await request('POST', '/v1/spot/demo/instances', { body: { ...instance, compute } })
  t.equal(sent().managedInstance.compute.vpcId, 'vpc-00000001', 'the default VPC of the account')
  const { tags: [, added] } = sent().managedInstance.compute.launchSpecification
  t.strictSame(added, { tagKey: 'spinup:org', tagValue: 'spinners' })

  await request('POST', '/v1/spot/demo/instances', { body: instance })
  t.equal(sent().managedInstance.compute.vpcId, vpcId, 'a VPC in the body stays')

  await request('POST', '/v1/spot/demo/elastigroups', { body: example('ElastigroupCreate') })
  t.strictSame(sent().group.compute.launchSpecification.tags, [{ tagKey: 'spinup:org', tagValue: 'spinners' }])

  const tags = [{ tagKey: 'spinup:org', tagValue: 'others' }]
  const group = example('ElastigroupCreate')
  group.compute.launchSpecification.tags = tags
  await request('POST', '/v1/spot/demo/elastigroups', { body: group })
  t.strictSame(sent(), { group }, 'a body that has the tag goes as it is')
})

t.test('a managed instance without VPC or subnets is refused before Spot sees it', async (t) => {
  const { request, sandbox } = await start(t, {
    configuration: { accounts: { demo: { id: 'act-5a9db0c5', token: 'vendor-token-for-tests' } } }
  })
  const body = { name: 'x', region: 'us-east-1', compute: {} }
  const reply = await request('POST', '/v1/spot/demo/instances', { body })
  t.equal(reply.status, 400)
  const pointers = reply.json.errors.map((error: { pointer: string }) => error.pointer)
  t.strictSame(pointers, ['#/compute/vpcId', '#/compute/subnetIds'])
  t.equal(sandbox.transcript.length, 0)
})

t.test('docs/clients.md shows the examples of the document', async (t) => {
  const page = readFileSync(new URL('../docs/clients.md', import.meta.url), 'utf8')
  const bodies = [...page.matchAll(/```json\n([\s\S]*?)```/g)].map(([, json]) => JSON.parse(json as string))
  for (const name of ['ElastigroupCreate', 'ElastigroupUpdate', 'ManagedInstanceCreate', 'ManagedInstanceUpdate']) {
    t.ok(bodies.some((body) => isDeepStrictEqual(body, example(name))), `${name} is in docs/clients.md`)
  }
})

function example (name: string): any {
  const { examples } = document.components as unknown as { examples: Record<string, { value: object }> }
  return structuredClone(examples[`${name}Example`]?.value)
}

function withoutId ({ id, ...rest }: { id: string }) {
  return rest
}
