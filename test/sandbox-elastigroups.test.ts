import t from 'tap'
import { BROKEN_RULE } from '../sandbox/index.js'
import { bounds, days, group, ids, managedInstance, ROLL, START, startClient, UNHEALTHY } from './sandbox-client.js'
import type { Item } from './sandbox-client.js'

t.test('a group is returned exactly as it was sent, from POST to DELETE', async (t) => {
  const sandbox = await startClient(t)
  const odd = { multai: null, zero: 0, no: false, empty: '', unknown: { a: {} } }
  const body = group({ ...odd, scaling: { up: [], down: null } })
  const item = await sandbox.create('/aws/ec2/group', body)
  t.match(item.id, /^sig-[0-9a-f]{8}$/)
  const dates = { createdAt: '2026-03-10T12:00:00.000Z', updatedAt: '2026-03-10T12:00:00.000Z' }
  t.strictSame(item, { ...body.group, id: item.id, ...dates })
  const path = `/aws/ec2/group/${item.id}`
  t.strictSame((await sandbox.call('GET', path)).items, [item])
  t.strictSame((await sandbox.call('GET', '/aws/ec2/group')).items, [item])

  sandbox.clock.advance(1000)
  const { items } = await sandbox.call('PUT', path, { group: { capacity: { target: 3 } } })
  const capacity = { ...body.group.capacity, target: 3 }
  t.strictSame(items, [{ ...item, capacity, updatedAt: '2026-03-10T12:00:01.000Z' }])

  const statefulDeallocation = { shouldDeleteImages: true, shouldDeleteVolumes: false }
  t.equal((await sandbox.call('DELETE', path, { statefulDeallocation })).status, 200)
  t.strictSame(sandbox.transcript.at(-1)?.body, { statefulDeallocation })
  t.equal((await sandbox.call('GET', path)).errors[0]?.code, 'GROUP_DOESNT_EXIST')
})

t.test('the group list is filtered by exact name and by creation date', async (t) => {
  const sandbox = await startClient(t)
  await sandbox.create('/aws/ec2/group', group({ name: 'a' }))
  sandbox.pass(48 * 3600)
  await sandbox.create('/aws/ec2/group', group({ name: 'ab' }))
  const cases: [string, string[]][] = [
    ['name=a', ['a']],
    ['name=abc', []],
    ['minCreatedAt=2026-03-12', ['ab']],
    ['maxCreatedAt=2026-03-12', ['a']],
    [`minCreatedAt=${START}&maxCreatedAt=${START}`, ['a']]
  ]
  for (const [query, names] of cases) {
    const { items } = await sandbox.call('GET', `/aws/ec2/group?${query}`)
    t.strictSame(items.map((item) => item.name), names, query)
  }
  t.equal((await sandbox.call('GET', '/aws/ec2/group?minCreatedAt=monday')).status, 400)
})

t.test('groups are filtered by when they were active, and deleted ones are listed on request', async (t) => {
  const client = await startClient(t)
  const first = await client.grow(group({ name: 'a' }))
  client.pass(2 * 86_400)
  await client.call('DELETE', first, { beanstalk: { rollbackToAsg: false }, amiBackup: { shouldDeleteImages: true } })
  client.pass(2 * 86_400)
  await client.grow(group({ name: 'b' }))
  const cases: [string, string[]][] = [
    ['', ['b']],
    ['?includeDeleted=false', ['b']],
    ['?includeDeleted=true', ['a', 'b']],
    ['?includeDeleted=true&name=a', ['a']],
    ['?includeDeleted=true&activeTo=2026-03-11', ['a']],
    ['?includeDeleted=true&activeFrom=2026-03-13', ['b']],
    [`?includeDeleted=true&activeFrom=${START}&activeTo=2026-03-20`, ['a', 'b']],
    ['?activeTo=2026-03-11', []]
  ]
  for (const [query, names] of cases) {
    t.strictSame((await client.get(`/aws/ec2/group${query}`)).map(({ name }) => name), names, query)
  }
})

t.test('the instances of a group come up one row per target, and keep their ids', async (t) => {
  const sandbox = await startClient(t)
  const { id } = await sandbox.create('/aws/ec2/group', group({
    strategy: { onDemandCount: 1 }, capacity: { target: 2, minimum: 0, maximum: 8 }
  }))
  const rows = async () => (await sandbox.call('GET', `/aws/ec2/group/${id}/status`)).items
  const states = async () => (await rows()).map((row) => row.status)
  const ids = async () => (await rows()).map((row) => row.instanceId)
  const scale = (target: number) => sandbox.call('PUT', `/aws/ec2/group/${id}`, { group: { capacity: { target } } })

  t.strictSame(await states(), ['pending-evaluation', 'pending-evaluation'])
  t.strictSame(await ids(), [null, null])
  sandbox.clock.advance(5_000)
  t.strictSame(await states(), ['pending-fulfillment', 'pending-fulfillment'])
  sandbox.clock.advance(15_000)
  t.strictSame(await states(), ['running', 'fulfilled'])
  t.match(await rows(), [
    { groupId: id, instanceId: /^i-0[0-9a-f]{16}$/, spotInstanceRequestId: null, instanceType: 'm5.large' },
    { spotInstanceRequestId: /^sir-[0-9a-z]{8}$/, availabilityZone: 'us-east-1a', privateIp: /^172\.31\./ }
  ])
  const first = await ids()
  await scale(3)
  t.strictSame(await ids(), [...first, null])
  sandbox.clock.advance(20_000)
  t.strictSame((await ids()).slice(0, 2), first)
  await scale(1)
  t.strictSame(await ids(), first.slice(0, 1))
  await scale(0)
  t.strictSame(await rows(), [])
})

t.test('the health of a running instance is unknown at first, then healthy or not', async (t) => {
  const client = await startClient(t)
  const path = await client.grow(group({ strategy: { onDemandCount: 1 } }))
  const health = () => client.get(`${path}/instanceHealthiness`)
  t.match(await health(), [
    { instanceId: /^i-0/, groupId: path.slice(-12), lifeCycle: 'OD', healthStatus: 'HEALTHY' },
    { spotRequestId: /^sir-/, lifeCycle: 'SPOT', availabilityZone: 'us-east-1a' }, {}, {}
  ])
  await client.call('PUT', path, { group: { ...UNHEALTHY, capacity: { target: 5 } } })
  t.equal((await health()).length, 4, 'a pending one is not watched')
  client.pass(20)
  t.match((await health()).at(-1), { healthStatus: 'INSUFFICIENT_DATA' })
  client.pass(40)
  t.match((await health()).at(-1), { healthStatus: 'UNHEALTHY' })
})

t.test('the vendor\'s own health checks show the agent\'s report', async (t) => {
  const client = await startClient(t)
  const path = await client.grow(group({ compute: { launchSpecification: { healthCheckType: 'HCS' } } }))
  t.match((await client.get(`${path}/instanceHealthiness`))[0], {
    agentHealth: { status: 'HEALTHY', lastChecked: '2026-03-10T12:01:40.000Z' }
  })
})

t.test('the capacity is set alone, and a missing key keeps its value', async (t) => {
  const client = await startClient(t)
  const path = await client.grow(group())
  client.pass(1)
  const { items } = await client.call('PUT', `${path}/capacity`, { capacity: { target: 6, maximum: 9 } })
  t.strictSame(items, [{ capacity: { minimum: 2, maximum: 9, target: 6 } }])
  t.match(await client.get(path), [{ capacity: { target: 6, unit: 'instance' } }])
  t.match(await client.get(path), [{ updatedAt: '2026-03-10T12:01:41.000Z' }])
  t.equal((await client.get(`${path}/status`)).length, 6)
})

t.test('scaling moves the target and names the instances that come and go', async (t) => {
  const client = await startClient(t)
  const path = await client.grow(group({ strategy: { onDemandCount: 5 } }))
  const up = await client.call('PUT', `${path}/scale/up?adjustment=3`)
  t.match(up.items, [{
    newSpotRequests: [{ spotInstanceRequestId: /^sir-/, instanceType: 'm5.large', availabilityZone: 'us-east-1a' }, {}],
    newInstances: [{ instanceId: /^i-/, instanceType: 'm5.large' }]
  }])
  t.match(await bounds(client, path), { target: 7 })
  const rows = await client.get(`${path}/status`)
  const down = await client.call('PUT', `${path}/scale/down`)
  t.match(down.items, [{
    victimSpotRequests: [{ spotInstanceRequestId: rows[6]?.spotInstanceRequestId, instanceId: /^i-/ }],
    victimInstances: []
  }])
  t.equal((await client.get(`${path}/status`)).length, 6)
})

t.test('scaling goes no further than minimum and maximum', async (t) => {
  const client = await startClient(t)
  const path = await client.grow(group())
  await client.call('PUT', `${path}/scale/up?adjustment=100`)
  t.match(await bounds(client, path), { target: 8 })
  const { items } = await client.call('PUT', `${path}/scale/up`)
  t.strictSame(items, [{ newSpotRequests: [], newInstances: [] }])
  await client.call('PUT', `${path}/scale/down?adjustment=100`)
  t.match(await bounds(client, path), { target: 2 })
})

t.test('detached instances are replaced, or the target gets smaller', async (t) => {
  const client = await startClient(t)
  const path = await client.grow(group())
  const detach = (body: object) => client.call('PUT', `${path}/detachInstances`, body)
  const [first, second, third] = ids(await client.get(`${path}/status`))
  t.equal((await detach({ instancesToDetach: [first] })).items.length, 0)
  const rows = await client.get(`${path}/status`)
  t.equal(rows.length, 4)
  t.strictSame(ids(rows).slice(0, 1), [second], 'the first is gone, a new one is on its way')
  await detach({ instancesToDetach: [second, third], shouldDecrementTargetCapacity: true })
  t.match(await bounds(client, path), { target: 2, minimum: 2 })
  const [event] = await client.get(`${path}/events?fromDate=2026-03-10`)
  t.match(event, { eventType: 'DetachInstances', subEvents: [{ type: 'detachedInstance', instanceId: second }, {}] })
})

t.test('an instance costs until it has drained', async (t) => {
  const client = await startClient(t)
  const path = await client.grow(group({ capacity: { target: 1, minimum: 0, maximum: 1 } }))
  const instancesToDetach = ids(await client.get(`${path}/status`))
  const body = { instancesToDetach, shouldTerminateInstances: true, shouldDecrementTargetCapacity: true }
  await client.call('PUT', `${path}/detachInstances`, { ...body, drainingTimeout: 3520 })
  client.pass(9000)
  t.match(await client.get(`${path}/costs?fromDate=2026-03-10&toDate=2026-03-11`), [{ running: { value: 1 } }])
})

t.test('events show what happened to a group', async (t) => {
  const client = await startClient(t)
  const path = await client.grow(group())
  await client.call('PUT', `${path}/scale/up`)
  client.pass(60)
  await client.call('PUT', path, { group: { description: 'x' } })
  await client.call('PUT', `${path}/roll`, { ...ROLL, batchSizePercentage: 100 })
  client.pass(1000)
  const all = (await client.get(`${path}/events?fromDate=2026-03-10`)).reverse()
  t.strictSame(all.map((event) => event.eventType), [
    'Create', 'ScaleUp', 'Update', 'Roll', 'Roll', 'InstanceReplacement', 'Roll'
  ])
  const groupId = path.slice(-12)
  const five = Array(5).fill(/^i-/)
  t.match(all, [
    { groupId, createdAt: '2026-03-10T12:00:00.000+0000', subEvents: [{ newSpots: [{}, {}, {}, {}] }] },
    { subEvents: [{ type: 'scaleUp', newSpots: [{ spotInstanceRequestId: /^sir-/ }], newInstances: [] }] },
    { subEvents: [] },
    { subEvents: [{ type: 'rollInfo', status: 'starting', id: /^sbgd-/ }] },
    { subEvents: [{ type: 'rollInfo', status: 'in_progress', currentBatch: 1, numOfBatches: 1 }] },
    { subEvents: [{ type: 'recoverInstances', oldInstanceIDs: five, newInstanceIDs: five }] },
    { subEvents: [{ type: 'rollInfo', status: 'finished' }] }
  ])
  for (const from of [START + 1000, START / 1000 + 1, '2026-03-10T12:00:01Z']) {
    t.equal((await client.get(`${path}/events?fromDate=${from}`)).length, all.length - 1, `from ${from}`)
  }
})

t.test('the log keeps its lines for three months', async (t) => {
  const client = await startClient(t)
  const path = await client.grow(group({ capacity: { target: 1, minimum: 0, maximum: 8 } }))
  const log = async (query: string, offset = 3_600_000) => (await client.get(`${path}/logs?${days(offset)}${query}`))
  const [instanceId] = ids(await client.get(`${path}/status`))
  t.match(await log(''), [
    { message: `Instance ${instanceId} is running`, severity: 'INFO', createdAt: '2026-03-10T12:00:20.000Z' },
    { message: /^Spot sir-\w+ was requested: m5.large in us-east-1a$/, severity: 'DEBUG' },
    { message: /was created$/, createdAt: '2026-03-10T12:00:00.000Z' }
  ])
  t.equal((await log('', 19_999)).length, 2, 'until then')
  t.equal((await log('&severity=DEBUG')).length, 1)
  t.equal((await log('&severity=ALL&limit=2')).length, 2)
  t.equal((await log(`&resourceId=${instanceId}`)).length, 2)
  await client.call('PUT', `${path}/scale/down`)
  t.match((await log(`&resourceId=${instanceId}`))[0], { message: `Instance ${instanceId} was terminated` })
  client.pass(92 * 86_400)
  t.strictSame((await log('')).map((line) => line.createdAt), Array(2).fill('2026-03-10T12:01:40.000Z'))
})

t.test('a log has at most 500 lines, or up to 1000 on request', async (t) => {
  const client = await startClient(t)
  const path = await client.grow(group({ capacity: { target: 600, minimum: 0, maximum: 1000 } }))
  t.equal((await client.get(`${path}/logs?${days(1_000_000)}`)).length, 500)
  t.equal((await client.get(`${path}/logs?${days(1_000_000)}&limit=1000`)).length, 1000)
})

t.test('processes are suspended for a time, or until removed', async (t) => {
  const client = await startClient(t)
  const path = `${await client.grow(group())}/suspension`
  const groupId = path.slice(-23, -11)
  t.strictSame(await client.get(path), [{ groupId, processes: [], suspensions: [] }])
  await client.call('POST', path, { processes: ['AUTO_SCALE'] })
  const body = {
    suspensions: [{ name: 'AUTO_HEALING', ttlInMinutes: 10 }, { name: 'SCHEDULING', ttlInMinutes: 999_999_999_999 }]
  }
  const { items } = await client.call('POST', path, body)
  t.strictSame(items, [{
    groupId,
    processes: ['AUTO_SCALE', 'AUTO_HEALING', 'SCHEDULING'],
    suspensions: [
      { name: 'AUTO_SCALE', expiresAt: null },
      { name: 'AUTO_HEALING', expiresAt: '2026-03-10T12:11:40.000Z' },
      { name: 'SCHEDULING', expiresAt: null }
    ]
  }])
  client.pass(600)
  t.match(await client.get(path), [{ processes: ['AUTO_SCALE', 'SCHEDULING'] }], 'the time is over')
  const refused = await client.call('DELETE', path, { processes: ['SCHEDULING', 'AUTO_HEALING'] })
  t.match([refused.status, refused.errors], [400, [{ code: 'SUSPEND_PROCESSES_DOESNT_EXIST' }]])
  const removed = await client.call('DELETE', path, { processes: ['SCHEDULING'] })
  t.match(removed.items, [{ processes: ['AUTO_SCALE'], suspensions: [{ name: 'AUTO_SCALE' }] }])
})

t.test('the options of an update are accepted, and show in the log', async (t) => {
  const client = await startClient(t)
  const path = await client.grow(group())
  await client.call('PUT', `${path}?autoApplyTags=true`, { group: { name: 'x' } })
  t.match(await client.get(`${path}/logs?${days(1_000_000)}&limit=1`), [{ message: /tags .* were applied/ }])
  const node = await client.grow(managedInstance())
  t.equal((await client.call('PUT', `${node}?autoApplyTags=false`, { managedInstance: { name: 'x' } })).status, 200)
  t.match(client.transcript.at(-1)?.query, { autoApplyTags: 'false' })
})

t.test('adjustments of policies are text in the samples, as clients expect, and come back as sent', async (t) => {
  const client = await startClient(t, { seed: true })
  const [sample] = await client.get('/aws/ec2/group/sig-0f3ac1d2')
  const [policy] = (sample?.scaling as { up: { action: object }[] }).up
  t.strictSame(policy?.action, { type: 'adjustment', adjustment: '2' })
  for (const adjustment of [2, '2', 'MAX(currCapacity / 5, 2)']) {
    const scaling = { up: [{ policyName: 'busy', action: { type: 'adjustment', adjustment } }] }
    t.strictSame((await client.create('/aws/ec2/group', group({ scaling }))).scaling, scaling)
  }
})

t.test('the suspensions of a group that is gone are refused with the code that Terraform expects, too', async (t) => {
  const client = await startClient(t)
  const { status, errors } = await client.call('GET', '/aws/ec2/group/sig-00000000/suspension')
  t.equal(status, 400)
  t.strictSame(errors.map(({ code }) => code), ['GROUP_DOESNT_EXIST', 'SUSPEND_PROCESSES_DOESNT_EXIST'])
})

t.test('scaling policies are suspended for a time, or until resumed', async (t) => {
  const client = await startClient(t)
  const path = await client.grow(group({ scaling: { up: [{ policyName: 'busy' }], down: [{ policyName: 'idle' }] } }))
  const suspended = async () => {
    const [item] = await client.get(`${path}/scale/suspensions`)
    return (item?.scalePolicySuspensions as Item[]).map(({ policyName }) => policyName)
  }
  const suspend = (name: string, body?: object) =>
    client.call('POST', `${path}/scale/suspendPolicy?policyName=${name}`, body)
  t.strictSame((await suspend('busy', { suspension: { ttlInMinutes: 10 } })).items, [{
    groupId: path.slice(-12), policyName: 'busy', state: 'suspended', expiresAt: '2026-03-10T12:11:40.000Z'
  }])
  await suspend('idle')
  t.strictSame(await suspended(), ['busy', 'idle'])
  client.pass(600)
  t.strictSame(await suspended(), ['idle'])
  t.equal((await suspend('other')).errors[0]?.code, 'SCALING_POLICY_DOESNT_EXIST')
  t.strictSame((await client.call('POST', `${path}/scale/resumePolicy`)).items, [])
  t.strictSame(await suspended(), [])
})

t.test('listener rules are migrated when a group gets them, and a failed migration is tried again', async (t) => {
  const client = await startClient(t)
  const itf = (...arns: string[]) => {
    const listenerRules = arns.map((ruleArn) => ({ ruleArn }))
    return { compute: { launchSpecification: { itf: { loadBalancers: [{ listenerRules }] } } } }
  }
  const path = await client.grow(group())
  const list = async () => (await client.get(`${path}/itf/migration`)).map(({ ruleArn, status }) => [ruleArn, status])
  t.strictSame(await list(), [])
  await client.call('PUT', path, { group: itf('a') })
  client.pass(20)
  await client.call('PUT', path, { group: itf('a', `b${BROKEN_RULE}`) })
  t.strictSame(await list(), [['a', 'In progress'], [`b${BROKEN_RULE}`, 'Starting']])
  client.pass(100)
  t.strictSame(await list(), [['a', 'Finished'], [`b${BROKEN_RULE}`, 'Failed']])
  const [finished, failed] = await client.get(`${path}/itf/migration`)
  const retry = (id: unknown) => client.call('PUT', `${path}/itf/migration/${id}`, { status: 'USER_RETRY' })
  t.match((await retry(finished?.id)).errors, [{ code: 'CANT_CHANGE_MIGRATION' }])
  t.match((await retry('ilrm-00000000')).errors, [{ code: 'LISTENER_RULE_MIGRATION_DOESNT_EXIST' }])
  t.match((await retry(failed?.id)).items, [{ status: 'Starting', createdAt: failed?.createdAt }])
  client.pass(100)
  t.match(await list(), [['a', 'Finished'], [`b${BROKEN_RULE}`, 'Finished']])
})
