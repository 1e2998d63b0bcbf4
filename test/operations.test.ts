import t, { type Test } from 'tap'
import { document, operationsOf } from '../openapi/document.js'
import { UNHEALTHY_IMAGE } from '../sandbox/index.js'
import { seen } from './contract-check.js'
import { start, type Gateway } from './helper.js'
import { validGroup, validInstance } from './valid-calls.js'

const groups = '/v1/spot/demo/elastigroups'
const instances = '/v1/spot/demo/instances'
const MINUTE = 60_000

/** A group of the sandbox that runs, with as many instances as asked. */
async function runningGroup (gateway: Awaited<ReturnType<typeof start>>, target = 3, strategy: object = {}) {
  const body = { ...validGroup, strategy, capacity: { ...validGroup.capacity, target, maximum: 10 } }
  const { headers } = await gateway.request('POST', groups, { body })
  gateway.sandbox.clock.advance(15 * MINUTE)
  return headers.location as string
}

async function runningInstance (gateway: Awaited<ReturnType<typeof start>>) {
  const { headers } = await gateway.request('POST', instances, { body: validInstance })
  gateway.sandbox.clock.advance(15 * MINUTE)
  return headers.location as string
}

const day = (time: number) => new Date(time).toISOString().slice(0, 10)

t.test('the list of accounts has names and regions, and nothing else', async (t) => {
  const { request } = await start(t)
  t.strictSame((await request('GET', '/v1/spot/accounts')).json, [{ name: 'demo', region: null }])
  t.equal((await request('GET', '/v1/spot/accounts', { token: null })).status, 401)
})

t.test('capacity: show, change, scale up and down, detach', async (t) => {
  const gateway = await start(t)
  const { request, sandbox } = gateway
  const group = await runningGroup(gateway)
  const whole = { minimum: 0, target: 3, maximum: 10, unit: 'instance' }
  t.strictSame((await request('GET', `${group}/capacity`)).json, whole)

  const changed = await request('PUT', `${group}/capacity`, { body: { target: 4 } })
  t.match(changed.json, { target: 4, minimum: 0, maximum: 10 })
  t.strictSame(sandbox.transcript.at(-1)?.body, { capacity: { target: 4 } })
  t.equal((await request('GET', `${group}/capacity`)).json.target, 4)

  const up = await request('POST', `${group}/scale/up?adjustment=2`)
  t.equal([...up.json.newSpotRequests, ...up.json.newInstances].length, 2)
  t.equal((await request('GET', `${group}/capacity`)).json.target, 6)
  const down = await request('POST', `${group}/scale/down`)
  t.equal([...down.json.victimSpotRequests, ...down.json.victimInstances].length, 1, 'one, unless told otherwise')
  t.equal((await request('GET', `${group}/capacity`)).json.target, 5)

  sandbox.clock.advance(15 * MINUTE)
  const [{ instanceId }] = (await request('GET', `${group}/status`)).json
  const body = { instancesToDetach: [instanceId], shouldTerminateInstances: true, shouldDecrementTargetCapacity: true }
  t.equal((await request('POST', `${group}/detach`, { body })).status, 202)
  t.equal((await request('GET', `${group}/capacity`)).json.target, 4)

  for (const [method, path, bad] of [
    ['PUT', '/capacity', { target: 99 }],
    ['PUT', '/capacity', {}],
    ['PUT', '/capacity', { target: 'many' }],
    ['POST', '/scale/up?adjustment=0', undefined],
    ['POST', '/detach', {}]
  ] as const) {
    const reply = await request(method, group + path, { body: bad })
    t.equal(reply.status, 400, `${method} ${path} ${JSON.stringify(bad)}`)
  }
  const stranger = { instancesToDetach: ['i-0000000000000000f'] }
  t.equal((await request('POST', `${group}/detach`, { body: stranger })).status, 404)
  const refused = await request('PUT', `${group}/capacity`, { body: { target: 99 } })
  t.match(refused.json.errors[0].pointer, /^#\/(target|maximum)?$/, "Spot's field as a place in the caller's body")
})

t.test('suspensions: suspend, show, resume', async (t) => {
  const gateway = await start(t)
  const { request } = gateway
  const suspensions = `${await runningGroup(gateway)}/suspensions`
  t.strictSame((await request('GET', suspensions)).json.processes ?? [], [])

  const body = { suspensions: [{ name: 'AUTO_SCALE', ttlInMinutes: 60 }, { name: 'SCHEDULING' }] }
  t.equal((await request('POST', suspensions, { body })).status, 200)
  t.strictSame((await request('GET', suspensions)).json.processes.toSorted(), ['AUTO_SCALE', 'SCHEDULING'])
  const left = await request('DELETE', `${suspensions}?process=SCHEDULING`)
  t.strictSame(left.json.processes, ['AUTO_SCALE'])
  gateway.sandbox.clock.advance(61 * MINUTE)
  t.strictSame((await request('GET', suspensions)).json.processes, [], 'it expired')

  t.equal((await request('DELETE', suspensions)).status, 400, 'a process must be named')
  t.equal((await request('DELETE', `${suspensions}?process=AUTO_HEALING`)).status, 404, 'it is not suspended')
  t.equal((await request('POST', suspensions, { body: { suspensions: [{ name: 1 }] } })).status, 400)
})

t.test('rolls: start, follow, finish, stop; a write during a roll names it', async (t) => {
  const gateway = await start(t)
  const { request, sandbox } = gateway
  const group = await runningGroup(gateway)
  const body = { batchSizePercentage: 50, gracePeriod: 60 }
  const before = (await request('GET', `${group}/status`)).json.map((row: { instanceId: string }) => row.instanceId)

  const created = await request('POST', `${group}/rolls`, { body })
  t.equal(created.status, 201)
  const roll = created.headers.location as string
  t.match(roll, new RegExp(`^${group}/rolls/sbgd-`))
  t.equal((await request('GET', roll)).json.id, created.json.id)
  t.equal((await request('GET', `${roll}/status`)).status, 200)

  for (const [method, path, change] of [
    ['POST', '/rolls', body],
    ['PUT', '', { description: 'meanwhile' }],
    ['PUT', '/capacity', { target: 1 }]
  ] as const) {
    const reply = await request(method, group + path, { body: change })
    t.equal(reply.status, 409, `${method} ${path} during a roll`)
    t.match(reply.json, { type: /:roll-in-progress$/, roll: { id: created.json.id }, hint: new RegExp(`${roll}/stop`) })
  }

  sandbox.clock.advance(24 * 60 * MINUTE)
  t.match((await request('GET', roll)).json.status, /finished/i)
  const after = (await request('GET', `${group}/status`)).json.map((row: { instanceId: string }) => row.instanceId)
  t.notOk(after.some((id: string) => before.includes(id)), 'every instance is another one')
  t.equal((await request('PUT', group, { body: { description: 'afterwards' } })).status, 200)

  const second = await request('POST', `${group}/rolls`, { body })
  t.equal((await request('POST', `${second.headers.location}/stop`)).status, 202)
  const listed = (await request('GET', `${group}/rolls`)).json
  t.strictSame(listed.map(({ id }: { id: string }) => id), [second.json.id, created.json.id], 'the newest first')
  t.equal((await request('GET', `${group}/rolls?limit=1`)).json.length, 1)
  t.match((await request('GET', second.headers.location as string)).json.status, /stopped/i)

  t.equal((await request('POST', `${group}/rolls`, { body: { batchSizePercentage: 50 } })).status, 400)
  for (const [method, path] of [['GET', ''], ['GET', '/status'], ['POST', '/stop']] as const) {
    t.equal((await request(method, `${group}/rolls/sbgd-00000000${path}`)).status, 404, `${method} ${path} of no roll`)
  }
})

t.test('a failed roll blocks the group until it is stopped, and an action can detach its instances', async (t) => {
  const gateway = await start(t)
  const { request, sandbox } = gateway
  const group = await runningGroup(gateway)
  await request('PUT', group, { body: { compute: { launchSpecification: { imageId: UNHEALTHY_IMAGE } } } })
  const created = await request('POST', `${group}/rolls`, { body: { batchSizePercentage: 50, gracePeriod: 60 } })
  const roll = created.headers.location as string
  sandbox.clock.advance(24 * 60 * MINUTE)

  const blocked = await request('PUT', group, { body: { description: 'blocked' } })
  t.equal(blocked.status, 409)
  t.match(blocked.json, { detail: /failed/, hint: new RegExp(`^End it by POST ${roll}/stop`) })
  const acted = await request('POST', `${roll}/actions`, {
    body: { actionType: 'DETACH_NEW', shouldHandleAllBatches: true, shouldDecrementTargetCapacity: false }
  })
  t.match(acted.json, { rollId: created.json.id, actionType: 'DETACH_NEW' })
  t.equal((await request('POST', `${roll}/actions`, { body: {} })).status, 400)
  t.equal((await request('POST', `${roll}/stop`)).status, 202)
  t.equal((await request('PUT', group, { body: { description: 'free' } })).status, 200)
})

t.test('stateful instances: pause, resume, recycle, deallocate', async (t) => {
  const gateway = await start(t)
  const { request, sandbox } = gateway
  const group = await runningGroup(gateway, 2, { persistence: { shouldPersistRootDevice: true } })
  const list = async () => (await request('GET', `${group}/stateful-instances`)).json
  const [{ id, instanceId }] = await list()
  const state = async () => (await list()).find((one: { id: string }) => one.id === id)?.state
  const act = async (action: string) => (await request('POST', `${group}/stateful-instances/${id}/${action}`)).status

  t.equal(await act('pause'), 202)
  sandbox.clock.advance(15 * MINUTE)
  t.equal(await state(), 'PAUSED')
  t.equal(await act('resume'), 202)
  sandbox.clock.advance(15 * MINUTE)
  t.equal(await state(), 'ACTIVE')
  t.equal(await act('recycle'), 202)
  sandbox.clock.advance(15 * MINUTE)
  t.not((await list()).find((one: { id: string }) => one.id === id).instanceId, instanceId)
  t.equal(await act('deallocate'), 202)
  sandbox.clock.advance(15 * MINUTE)
  t.notOk(['ACTIVE', 'PAUSED'].includes(await state()))
  for (const action of ['pause', 'resume', 'recycle', 'deallocate']) {
    t.equal((await request('POST', `${group}/stateful-instances/ssi-00000000/${action}`)).status, 404)
  }
})

t.test('one instance of a group: lock, unlock, standby', async (t) => {
  const gateway = await start(t, { configuration: { reads: { freshFor: 600_000, staleFor: 600_000 } } })
  const { request, sandbox } = gateway
  const group = await runningGroup(gateway, 2)
  const other = await runningGroup(gateway, 1)
  const rows = async () => (await request('GET', `${group}/status`)).json as Record<string, string>[]
  const [{ instanceId = '' } = {}] = await rows()
  const instance = `${group}/instances/${instanceId}`
  const lockOf = async () => (await rows()).map(({ lockStatus, protectedUntil }) => [lockStatus, protectedUntil])
  const unlocked = ['unlocked', undefined]
  const tried = await request('POST', `${instance}/lock?ttlInMinutes=30&dryRun=true`)
  t.equal(tried.status, 412)
  const sent = new URL(tried.json.preview.request.url)
  t.strictSame([sent.pathname, sent.searchParams.get('ttlInMinutes')], [`/aws/ec2/instance/${instanceId}/lock`, '30'])

  t.strictSame(await lockOf(), [unlocked, unlocked])
  t.equal((await request('POST', `${instance}/lock?ttlInMinutes=30`)).status, 202)
  t.match(await lockOf(), [['locked', /Z$/], unlocked], 'what was remembered of the group is not given any more')
  t.equal((await request('POST', `${instance}/unlock`)).status, 202)
  t.strictSame(await lockOf(), [unlocked, unlocked])
  t.equal((await request('POST', `${instance}/lock`)).status, 202)
  t.strictSame(await lockOf(), [['locked', undefined], unlocked])

  t.equal((await request('POST', `${instance}/standby/enter`)).status, 202)
  t.equal((await request('POST', `${instance}/standby/enter`)).status, 400, 'it is in standby already')
  t.equal((await request('POST', `${instance}/standby/exit`)).status, 202)

  sandbox.transcript.length = 0
  for (const action of ['lock', 'unlock', 'standby/enter', 'standby/exit']) {
    for (const path of [`${other}/instances/${instanceId}`, `${group}/instances/i-none`]) {
      const { status, json } = await request('POST', `${path}/${action}`)
      t.equal(status, 404)
      t.match(json.detail, /^Elastigroup sig-\w+ has no instance i-\w+\.$/)
    }
  }
  t.notOk(sandbox.transcript.some(({ method }) => method !== 'GET'), 'nothing is done to an instance of another group')
  for (const bad of ['lock?ttlInMinutes=0', 'lock?ttlInMinutes=long', 'unlock?ttlInMinutes=1', 'standby/leave']) {
    t.ok([400, 404].includes((await request('POST', `${instance}/${bad}`)).status), bad)
  }
})

t.test('what happened to a group: health, events, logs, costs of each instance', async (t) => {
  const gateway = await start(t)
  const { request, sandbox } = gateway
  const group = await runningGroup(gateway, 2)
  await request('PUT', group, { body: { description: 'changed' } })
  const now = sandbox.clock.now()
  const [from, to] = [day(now - 86_400_000), day(now + 2 * 86_400_000)]

  t.strictSame((await request('GET', `${group}/health`)).json.map((row: { healthStatus: string }) => row.healthStatus),
    ['HEALTHY', 'HEALTHY'])
  const events = (await request('GET', `${group}/events?start=${from}`)).json
  t.ok(events.some(({ eventType }: { eventType: string }) => eventType === 'Create'))
  const later = new Date(now + 60 * MINUTE).toISOString()
  t.strictSame((await request('GET', `${group}/events?start=${later}`)).json, [], 'finer than the day Spot takes')

  const logs = (await request('GET', `${group}/logs?start=${from}&end=${to}&severity=ALL&limit=10`)).json
  t.ok(logs.length > 0)
  t.strictSame(sandbox.transcript.at(-1)?.query.fromDate, String(Date.parse(from)), 'milliseconds, as Spot wants them')
  const elsewhere = `${from}T02:00:00%2B02:00`
  await request('GET', `${group}/logs?start=${elsewhere}&end=${to}`)
  t.strictSame(sandbox.transcript.at(-1)?.query.fromDate, String(Date.parse(from)), 'whatever the time zone')

  sandbox.clock.advance(3 * 60 * MINUTE)
  const detailed = (await request('GET', `${group}/costs/detailed?start=${from}&end=${to}`)).json
  const whole = (await request('GET', `${group}/costs?start=${from}&end=${to}`)).json
  const sum = detailed.reduce((sum: number, row: { costs: { actual: number } }) => sum + row.costs.actual, 0)
  t.ok(Math.abs(sum - whole.costs.actual) < 0.001, `${sum} is ${whole.costs.actual}`)

  for (const path of ['/events?start=2026-02-30', '/logs?limit=1001', '/logs?severity=LOUD', '/logs?start=2026-01-01',
    '/costs/detailed?start=2026-01-02&end=2026-01-02', '/costs?start=2026-01-01T25:00:00Z&end=2026-02-01']) {
    t.equal((await request('GET', group + path)).status, 400, path)
  }
})

t.test('a managed instance: pause, resume, recycle, several at once, a volume', async (t) => {
  const gateway = await start(t)
  const { request, sandbox } = gateway
  const instance = await runningInstance(gateway)
  const state = async () => (await request('GET', `${instance}/status`)).json.status
  const act = async (action: string) => (await request('POST', `${instance}/${action}`)).status

  t.equal(await act('pause'), 202)
  sandbox.clock.advance(15 * MINUTE)
  t.equal(await state(), 'PAUSED')
  t.equal(await act('resume'), 202)
  sandbox.clock.advance(15 * MINUTE)
  t.equal(await state(), 'ACTIVE')
  t.equal(await act('recycle'), 202)
  sandbox.clock.advance(15 * MINUTE)
  t.equal(await state(), 'ACTIVE')

  const id = instance.split('/').at(-1)
  t.equal((await request('PUT', `${instances}/state`, { body: [{ id, state: 'PAUSE' }] })).status, 202)
  sandbox.clock.advance(15 * MINUTE)
  t.equal(await state(), 'PAUSED')
  t.equal((await request('PUT', `${instances}/state`, { body: [] })).status, 400)
  t.equal((await request('PUT', `${instances}/state`, { body: [{ id }] })).status, 400)
  t.equal((await request('PUT', `${instances}/state`, { body: [{ id: 'smi-00000000', state: 'PAUSE' }] })).status, 404)

  for (const action of ['pause', 'resume', 'recycle']) {
    t.equal((await request('POST', `${instances}/smi-00000000/${action}`)).status, 404)
  }
  t.equal((await request('DELETE', `${instance}/volumes/vol-00000000`)).status, 404)
  const volumes = { volumes: [{ deviceName: '/dev/sdf', volumeId: 'vol-0123456789abcdef0' }] }
  await request('PUT', instance, { body: { compute: { volumeAttachments: volumes } } })
  t.equal((await request('DELETE', `${instance}/volumes/vol-0123456789abcdef0`)).status, 204)
})

t.test('an import becomes a managed instance', async (t) => {
  const { request, sandbox } = await start(t)
  const created = await request('POST', `${instances}/imports`, {
    body: { originalInstanceId: 'i-0a1b2c3d4e5f60718', region: 'us-east-1', managedInstanceName: 'imported' }
  })
  t.equal(created.status, 201)
  const path = created.headers.location as string
  t.equal((await request('GET', path)).json.migrationId, created.json.migrationId)
  sandbox.clock.advance(24 * 60 * MINUTE)
  const { state, managedInstanceId } = (await request('GET', path)).json
  t.match(state, /FINISH$/)
  t.equal((await request('GET', `${instances}/${managedInstanceId}`)).json.name, 'imported')
  t.equal((await request('POST', `${instances}/imports`, { body: { region: 'us-east-1' } })).status, 400)
  t.equal((await request('GET', `${instances}/imports/smg-00000000`)).status, 404)
})

t.test('options of updates and deletes reach Spot', async (t) => {
  const gateway = await start(t)
  const { request, sandbox } = gateway
  const last = () => sandbox.transcript.at(-1)
  const group = await runningGroup(gateway)
  await request('PUT', `${group}?autoApplyTags=true&shouldResumeStateful=false`, { body: { description: null } })
  t.match(last()?.query, { autoApplyTags: 'true', shouldResumeStateful: 'false' })
  await request('DELETE', `${group}?shouldDeleteBackupImages=true&shouldDeleteImages=false`)
  t.match(last()?.body, {
    amiBackup: { shouldDeleteImages: true }, statefulDeallocation: { shouldDeleteImages: false }
  })

  const instance = await runningInstance(gateway)
  await request('PUT', `${instance}?autoApplyTags=false`, { body: { description: null } })
  t.match(last()?.query, { autoApplyTags: 'false' })
  t.equal((await request('PUT', `${instance}?shouldResumeStateful=true`, { body: {} })).status, 400, 'groups only')
  await request('DELETE', instance)
  t.notOk('amiBackup' in (last()?.body as object), 'what is not asked for is not sent')
})

t.test('readiness says whether a resource is up, and when to ask again', async (t) => {
  const gateway = await start(t)
  const { request, sandbox } = gateway
  const { headers } = await request('POST', groups, {
    body: { name: 'x', strategy: {}, capacity: { minimum: 0, target: 2, maximum: 2 }, compute: {} }
  })
  const group = headers.location as string
  const early = await request('GET', `${group}/readiness`)
  t.match(early.json, { ready: false, running: 0, target: 2, reasons: [/^2 of 2 instances are not running yet/] })
  t.ok(Number(early.headers['retry-after']) > 0)
  sandbox.clock.advance(15 * MINUTE)
  const late = await request('GET', `${group}/readiness`)
  t.strictSame(late.json, { ready: true, running: 2, target: 2, reasons: [] })
  t.notOk('retry-after' in late.headers)

  const instance = await runningInstance(gateway)
  const up = { ready: true, running: 1, target: 1, reasons: [] }
  t.strictSame((await request('GET', `${instance}/readiness`)).json, up)
  await request('POST', `${instance}/pause`)
  sandbox.clock.advance(15 * MINUTE)
  const down = { ready: false, running: 0, reasons: [/PAUSED/, /EC2/] }
  t.match((await request('GET', `${instance}/readiness`)).json, down)
  t.equal((await request('GET', `${groups}/sig-00000000/readiness`)).status, 404)
  t.equal((await request('GET', `${instances}/smi-00000000/readiness`)).status, 404)
})

t.test('lists can be filtered by name, tag and creation date', async (t) => {
  const gateway = await start(t, { sandbox: { seed: false } })
  for (const [name, tags] of [
    ['web-blue', [{ tagKey: 'team', tagValue: 'web' }, { tagKey: 'spinup:org', tagValue: 'a:b' }]],
    ['web-green', [{ tagKey: 'team', tagValue: 'web' }]],
    ['batch', null]
  ] as const) {
    const compute = { launchSpecification: { tags } }
    const capacity = { minimum: 0, target: 0, maximum: 1 }
    await gateway.request('POST', groups, { body: { name, strategy: {}, capacity, compute } })
    await gateway.request('POST', instances, {
      body: { name, region: 'us-east-1', compute: { ...compute, subnetIds: ['subnet-1'], vpcId: 'vpc-1' } }
    })
    gateway.sandbox.clock.advance(60 * MINUTE)
  }
  const { createdAt } = (await gateway.request('GET', `${groups}?name=web-green`)).json[0]
  const all = ['web-blue', 'web-green', 'batch']
  for (const [query, wanted] of [
    ['', all],
    ['?name=batch', ['batch']],
    ['?name=web-*', ['web-blue', 'web-green']],
    ['?name=*e*n', ['web-green']],
    ['?name=web', []],
    ['?name=*', all],
    ['?tag=team', ['web-blue', 'web-green']],
    ['?tag=team:web', ['web-blue', 'web-green']],
    ['?tag=team:other', []],
    ['?tag=team&tag=spinup:org', ['web-blue']],
    ['?tag=spinup:org:a:b', ['web-blue']],
    [`?createdAfter=${createdAt}`, ['web-green', 'batch']],
    [`?createdBefore=${createdAt}`, ['web-blue']],
    [`?createdAfter=${day(Date.parse(createdAt) - 86_400_000)}&name=b*`, ['batch']]
  ] as const) {
    for (const list of [groups, instances]) await onlyLists(t, gateway, list + query, wanted)
  }
  for (const bad of ['?name=', '?createdAfter=yesterday', '?createdBefore=2026-02-30', '?tag=', '?names=web']) {
    t.equal((await gateway.request('GET', groups + bad)).status, 400, bad)
  }
})

async function onlyLists (t: Test, { request }: Gateway, path: string, wanted: readonly string[]) {
  const listed = (await request('GET', path)).json as { name: string }[]
  t.strictSame(listed.map(({ name }) => name).toSorted(), [...wanted].toSorted(), path)
}

t.test('every operation was seen to succeed and to fail', async (t) => {
  const { request } = await start(t)
  const known: Record<string, string> = { account: 'demo', elastigroup: 'sig-0f3ac1d2', instance: 'smi-4e8b21f7' }
  const ofAccounts = operationsOf(document).filter(({ path }) => path.includes('{account}'))
  for (const { path, method } of ofAccounts) {
    const url = path.replace(/\{(\w+)\}/g, (_, name) => known[name] ?? 'x-00000000')
    await request(method.toUpperCase(), `${url}?unknown=parameter`)
    if (method === 'get') await request('GET', url)
  }
  for (const { operation: { operationId } } of ofAccounts) {
    const replies = [...seen].filter((one) => one.startsWith(`${operationId} `))
    const statuses = replies.map((one) => Number(one.split(' ')[1]))
    t.ok(statuses.some((status) => status >= 400), `${operationId} failed`)
    t.ok(statuses.some((status) => status < 300), `${operationId} succeeded`)
  }
})
