import fc from 'fast-check'
import t from 'tap'
import {
  group, ids, managedInstance, migration, MIGRATION, START, startClient, statefulGroup
} from './sandbox-client.js'
import type { Client } from './sandbox-client.js'

const HOUR = 3_600_000

interface Costs {
  running: { value: number, unit: string }
  savings: { value: number, unit: string }
  costs: { actual: number, potential: number }
}

async function costs (sandbox: Client, resource: string, from?: number, to?: number): Promise<Costs> {
  const query = new URLSearchParams()
  if (from !== undefined) query.set('fromDate', new Date(from).toISOString())
  if (to !== undefined) query.set('toDate', new Date(to).toISOString())
  const [item] = await sandbox.get(`/aws/ec2/${resource}/costs?${query}`)
  return item as unknown as Costs
}

t.test('a managed instance lives from POST to DELETE exactly as it was sent', async (t) => {
  const sandbox = await startClient(t)
  const body = managedInstance({ integrations: {}, persistence: null })
  const item = await sandbox.create('/aws/ec2/managedInstance', body)
  t.match(item.id, /^smi-[0-9a-f]{8}$/)
  const { id, createdAt, updatedAt, ...config } = item
  t.strictSame(config, body.managedInstance)
  const list = await sandbox.call('GET', '/aws/ec2/managedInstance')
  t.strictSame(list.items, [{ id, createdAt, updatedAt, config }])
  t.equal(list.response.kind, 'spotinst:aws:ec2:managedInstance')

  const path = `/aws/ec2/managedInstance/${id}`
  const { items } = await sandbox.call('PUT', path, { managedInstance: { description: 'kept' } })
  t.strictSame(items, [{ ...item, description: 'kept' }])
  const deallocationConfig = { shouldTerminateInstance: true, shouldDeleteSnapshots: true }
  t.equal((await sandbox.call('DELETE', path, { deallocationConfig })).status, 200)
  t.equal((await sandbox.call('GET', path)).errors[0]?.code, 'MANAGED_INSTANCE_DOESNT_EXIST')
})

t.test('managed instances are listed flat on request', async (t) => {
  const sandbox = await startClient(t, { listShape: 'flat' })
  const item = await sandbox.create('/aws/ec2/managedInstance', managedInstance())
  t.strictSame((await sandbox.call('GET', '/aws/ec2/managedInstance')).items, [item])
})

t.test('status and costs of an unknown managed instance are 200 and empty', async (t) => {
  const sandbox = await startClient(t)
  for (const path of ['status', 'costs']) {
    const answer = await sandbox.call('GET', `/aws/ec2/managedInstance/smi-00000000/${path}`)
    t.equal(answer.status, 200)
    t.match(answer.response, { items: [], count: 0 })
  }
})

t.test('a managed instance is pending, then active', async (t) => {
  const sandbox = await startClient(t)
  const { id } = await sandbox.create('/aws/ec2/managedInstance', managedInstance())
  const status = async () => (await sandbox.call('GET', `/aws/ec2/managedInstance/${id}/status`)).items
  t.match(await status(), [{ id, name: 'node', status: 'PENDING', instanceId: null, launchedAt: null }])
  sandbox.clock.advance(20_000)
  t.match(await status(), [{
    status: 'ACTIVE',
    instanceId: /^i-0/,
    instanceType: 't3.micro',
    imageId: 'ami-1',
    createdAt: '2026-03-10T12:00:00.000Z',
    launchedAt: '2026-03-10T12:00:20.000Z'
  }])
})

t.test('a managed instance is paused, resumed and recycled, and keeps its address', async (t) => {
  const client = await startClient(t)
  const path = await client.grow(managedInstance())
  const status = async () => (await client.get(`${path}/status`))[0]
  const first = await status()
  const act = async (verb: string) => {
    const { status: code, errors } = await client.call('PUT', `${path}/${verb}`)
    return code === 200 ? (await status())?.status : errors[0]?.code
  }
  t.equal(await act('resume'), 'CANT_CHANGE_MANAGED_INSTANCE')
  t.equal(await act('pause'), 'PAUSING')
  t.equal(await act('recycle'), 'CANT_CHANGE_MANAGED_INSTANCE')
  client.pass(30)
  t.match(await status(), { status: 'PAUSED', instanceId: null, privateIp: null, launchedAt: null })
  await client.call('PUT', path, { managedInstance: { description: 'paused' } })
  client.pass(3600)
  t.match(await status(), { status: 'PAUSED' }, 'an update does not wake it')
  t.equal(await act('pause'), 'CANT_CHANGE_MANAGED_INSTANCE')
  t.equal(await act('resume'), 'RESUMING')
  client.pass(20)
  const second = await status()
  t.match(second, { status: 'ACTIVE', privateIp: first?.privateIp })
  t.not(second?.instanceId, first?.instanceId)
  t.equal(await act('recycle'), 'RECYCLING')
  client.pass(50)
  t.match(await status(), { status: 'ACTIVE', privateIp: first?.privateIp })
  t.not((await status())?.instanceId, second?.instanceId)
  t.match(await client.get(`${path}/costs`), [{ running: { value: 0.038889 } }], 'nothing is paid while it is paused')
})

t.test('many managed instances change their state at once, or none of them', async (t) => {
  const client = await startClient(t)
  const paths = [await client.grow(managedInstance()), await client.grow(managedInstance())]
  const [one, two] = paths.map((path) => path.slice(-12))
  const change = (...managedInstanceStates: object[]) =>
    client.call('PUT', '/aws/ec2/managedInstance/state', { managedInstanceStates })
  const states = async () => {
    const rows = []
    for (const path of paths) rows.push((await client.get(`${path}/status`))[0]?.status)
    return rows
  }
  const unknown = await change({ id: one, state: 'PAUSE' }, { id: 'smi-0', state: 'PAUSE' })
  t.match([unknown.status, unknown.errors], [400, [{ code: 'MANAGED_INSTANCE_DOESNT_EXIST' }]])
  const wrong = await change({ id: one, state: 'PAUSE' }, { id: two, state: 'RESUME' })
  t.match([wrong.status, wrong.errors], [400, [{ code: 'CANT_CHANGE_MANAGED_INSTANCE' }]])
  t.strictSame(await states(), ['ACTIVE', 'ACTIVE'])
  const done = await change({ id: one, state: 'PAUSE' }, { id: two, state: 'PAUSE' })
  t.strictSame(done.response, { status: { code: 200, message: 'OK' } })
  client.pass(30)
  t.strictSame(await states(), ['PAUSED', 'PAUSED'])
  await change({ id: two, state: 'RESUME' })
  t.strictSame(await states(), ['PAUSED', 'RESUMING'])
})

t.test('a managed instance that is deleted on the way stays deleted', async (t) => {
  const client = await startClient(t)
  const path = await client.grow(managedInstance())
  await client.call('PUT', `${path}/recycle`)
  await client.call('DELETE', path)
  client.pass(100)
  t.strictSame(await client.get('/aws/ec2/managedInstance'), [])
})

t.test('a volume is taken from a managed instance', async (t) => {
  const client = await startClient(t)
  const path = await client.grow(managedInstance())
  t.equal((await client.call('DELETE', `${path}/volume/vol-1`)).status, 200)
  t.match(await client.get(path), [{ compute: { volumeAttachments: { volumes: [] } } }])
  t.equal((await client.call('DELETE', `${path}/volume/vol-1`)).errors[0]?.code, 'VOLUME_DOESNT_EXIST')
})

t.test('a migration ends with a managed instance that runs', async (t) => {
  const client = await startClient(t)
  const order = migration('i-0123456789abcdef0', { managedInstanceName: 'moved', spotInstanceTypes: ['c5.large'] })
  const { items: [started] } = await client.call('POST', MIGRATION, { migration: order })
  t.match(started, {
    migrationId: /^smg-[0-9a-f]{8}$/,
    managedInstanceId: /^smi-[0-9a-f]{8}$/,
    state: 'MIGRATE_START',
    data: { originalInstanceId: 'i-0123456789abcdef0', shouldKeepPrivateIp: false, shouldTerminateInstance: false }
  })
  const seen: unknown[] = []
  for (let seconds = 0; seconds <= 170; seconds += 10) {
    const [row] = await client.get(`${MIGRATION}/${started?.migrationId}`)
    t.match(row, { instanceId: 'i-0123456789abcdef0', stateDescription: String })
    if (row?.state !== seen.at(-1)) seen.push(row?.state)
    t.equal((await client.get('/aws/ec2/managedInstance')).length, row?.state === 'MIGRATE_FINISH' ? 1 : 0)
    client.pass(10)
  }
  t.strictSame(seen, [
    'MIGRATE_START', 'MIGRATE_CREATE_IMAGE', 'MIGRATE_AWAIT_FOR_IMAGE', 'MIGRATE_LAUNCH_INSTANCE', 'MIGRATE_FINISH'
  ])
  const path = `/aws/ec2/managedInstance/${started?.managedInstanceId}`
  t.match(await client.get(path), [{ name: 'moved', region: 'us-east-1' }])
  t.match(await client.get(`${path}/status`), [{ status: 'ACTIVE', instanceType: 'c5.large' }])
})

t.test('many are migrated at once; failures are listed beside them', async (t) => {
  const client = await startClient(t)
  const path = await client.grow(group())
  const [managed] = ids(await client.get(`${path}/status`)) as string[]
  const broken = migration('i-00000bad000000001')
  const whole = migration('i-0000000000000001a', { shouldTerminateInstance: true })
  const { status, response, items } = await client.call('POST', `${MIGRATION}/bulk`, {
    migrations: [broken, whole, migration(managed ?? ''), whole]
  })
  t.equal(status, 200)
  t.strictSame(Object.keys(response), ['status', 'kind', 'items', 'count', 'failures'])
  t.match(response, {
    kind: 'spotinst:aws:ec2:managedInstance:migration',
    count: 2,
    failures: [{ resourceId: managed, errorMessage: /managed by Spot$/ }, { resourceId: 'i-0000000000000001a' }]
  })
  const migrationIds = items.map(({ migrationId }) => migrationId)
  const search = () => client.call('POST', `${MIGRATION}/search`, { migrationIds: ['smg-00000000', ...migrationIds] })
  client.pass(150)
  t.match((await search()).items, [{ state: 'MIGRATE_ERROR' }, { state: 'MIGRATE_TERMINATE_INSTANCE' }])
  client.pass(1000)
  t.match((await search()).items, [{ state: 'MIGRATE_ERROR' }, { state: 'MIGRATE_FINISH' }])
  t.equal((await client.get('/aws/ec2/managedInstance')).length, 1)
  const again = await client.call('POST', MIGRATION, { migration: whole })
  t.match([again.status, again.errors], [400, [{ code: 'CANT_CREATE_MIGRATION' }]])
  t.equal((await client.call('POST', MIGRATION, { migration: broken })).status, 200, 'a failed one may be tried again')
})

t.test('a stateful import ends with a stateful group that runs', async (t) => {
  const client = await startClient(t)
  const all = '/aws/ec2/statefulMigrationGroup'
  const start = async (originalInstanceId: string, more: object = {}) => client.call('POST', all, {
    statefulMigrationGroup: { originalInstanceId, name: 'moved', shouldKeepPrivateIp: true, ...more }
  })
  const { items: [started] } = await start('i-0123456789abcdef0', { spotInstanceTypes: ['c5.large'], region: 'us-west-2' })
  t.match(started, {
    id: /^smg-/,
    state: 'MIGRATE_START',
    data: { originalInstanceId: 'i-0123456789abcdef0', shouldKeepPrivateIp: true, shouldTerminateInstance: false }
  })
  t.match((await start('i-0123456789abcdef0')).errors, [{ code: 'CANT_CREATE_MIGRATION', message: /being imported/ }])
  const act = () => client.call('POST', `${all}/${started?.id}/userAction`, { userAction: { type: 'terminate' } })
  t.match((await act()).errors, [{ code: 'CANT_CHANGE_MIGRATION' }], 'not yet')
  const seen: unknown[] = []
  const watch = async (seconds: number) => {
    for (let passed = 0; passed <= seconds; passed += 5) {
      const [row] = await client.get(`${all}/${started?.id}`)
      t.match(row, { instanceId: 'i-0123456789abcdef0', groupId: started?.groupId, stateDescription: String })
      if (row?.state !== seen.at(-1)) seen.push(row?.state)
      t.equal((await client.get('/aws/ec2/group')).length, row?.state === 'MIGRATE_FINISH' ? 1 : 0)
      client.pass(5)
    }
  }
  await watch(170)
  t.match((await act()).items, [{ id: started?.id, state: 'MIGRATE_TERMINATE_INSTANCE' }])
  await watch(70)
  t.strictSame(seen, [
    'MIGRATE_START', 'MIGRATE_PREPARE_AWS_INSTANCE', 'MIGRATE_CREATE_IMAGE', 'MIGRATE_AWAIT_FOR_IMAGE',
    'MIGRATE_AWAIT_USER_ACTION', 'MIGRATE_TERMINATE_INSTANCE', 'MIGRATE_AWAIT_INSTANCE_TERMINATION',
    'MIGRATE_UPDATE_GROUP', 'MIGRATE_LAUNCH_INSTANCE', 'MIGRATE_AWAIT_INSTANCE_RUNNING', 'MIGRATE_FINISH'
  ])
  const path = `/aws/ec2/group/${started?.groupId}`
  t.match(await client.get(path), [{ name: 'moved', region: 'us-west-2' }])
  t.match(await client.get(`${path}/statefulInstance`), [{ state: 'ACTIVE', instanceId: /^i-/ }])
  t.match(await client.get(`${path}/status`), [{ status: 'fulfilled', instanceType: 'c5.large' }])
  t.match((await client.call('DELETE', `${all}/${started?.id}`)).errors, [{ code: 'CANT_CHANGE_MIGRATION' }])

  const { items: [cancelled] } = await start('i-2', { shouldTerminateInstance: true })
  t.match((await client.call('DELETE', `${all}/${cancelled?.id}`)).items, [{ state: 'MIGRATE_CANCEL' }])
  const { items: [broken] } = await start('i-00000bad1')
  const { items: [automatic] } = await start('i-3', { shouldTerminateInstance: true })
  client.pass(1000)
  for (const [one, state] of [[cancelled, 'CANCEL'], [broken, 'ERROR'], [automatic, 'FINISH']] as const) {
    t.match(await client.get(`${all}/${one?.id}`), [{ state: `MIGRATE_${state}` }])
  }
  t.equal((await client.get('/aws/ec2/group')).length, 2)
  const zones = await start('i-4', { availabilityZones: [{ name: 'us-east-1a' }] })
  t.match(zones.errors, [{ field: 'statefulMigrationGroup.availabilityZones' }])
})

t.test('seeded resources are up from the start', async (t) => {
  const sandbox = await startClient(t, { seed: true })
  t.match((await sandbox.call('GET', '/aws/ec2/group/sig-0f3ac1d2/status')).items, [
    { status: 'running' }, { status: 'fulfilled' }, { status: 'fulfilled' }, { status: 'fulfilled' }
  ])
  for (const id of ['smi-4e8b21f7', 'smi-a90c3d58']) {
    t.match((await sandbox.call('GET', `/aws/ec2/managedInstance/${id}/status`)).items, [{ status: 'ACTIVE' }])
  }
})

t.test('detailed costs list each instance that ran, and add up to the costs', async (t) => {
  const client = await startClient(t)
  const path = await client.grow(group({ strategy: { onDemandCount: 1 } }))
  client.pass(7200)
  await client.call('PUT', `${path}/scale/down?adjustment=2`)
  client.pass(3600)
  const query = 'fromDate=2026-03-10&toDate=2026-03-11'
  interface Costs { running: { value: number }, costs: { actual: number, potential: number } }
  const [whole] = await client.get(`${path}/costs?${query}`) as unknown as Costs[]
  const parts = await client.get(`${path}/costs/detailed?${query}`)
  t.equal(parts.length, 4, 'the gone ones count')
  t.match(parts[0], { groupId: path.slice(-12), spotInstanceRequestId: null, instanceType: 'm5.large' })
  for (const pick of [
    (costs: Costs) => costs.running.value, (costs: Costs) => costs.costs.actual, (costs: Costs) => costs.costs.potential
  ]) {
    const sum = (parts as unknown as Costs[]).reduce((so, part) => so + pick(part), 0)
    t.ok(whole !== undefined && Math.abs(sum - pick(whole)) < 1e-5)
  }
})

t.test('the costs of a range are the sum of its parts, whatever happened to the group', async (t) => {
  const sandbox = await startClient(t, { rateLimit: 1_000_000 })
  const { id } = await sandbox.create('/aws/ec2/group', group({
    capacity: { target: 2, minimum: 0, maximum: 8 }
  }))
  for (const target of [5, 0, 7, 1]) {
    sandbox.clock.advance(9.7 * HOUR)
    await sandbox.call('PUT', `/aws/ec2/group/${id}`, { group: { capacity: { target } } })
  }
  sandbox.clock.advance(5 * HOUR)
  const resource = `group/${id}`
  const moment = fc.integer({ min: START - 5 * HOUR, max: START + 60 * HOUR })
  await fc.assert(fc.asyncProperty(fc.tuple(moment, moment, moment), async (moments) => {
    const [from = 0, middle = 0, to = 0] = moments.sort((a, b) => a - b)
    const [whole, early, late] = await Promise.all([
      costs(sandbox, resource, from, to), costs(sandbox, resource, from, middle), costs(sandbox, resource, middle, to)
    ])
    const close = (a: number, b: number) => Math.abs(a - b) < 5e-6
    const { actual, potential } = whole.costs
    return close(whole.running.value, early.running.value + late.running.value) &&
      close(actual, early.costs.actual + late.costs.actual) &&
      close(potential, early.costs.potential + late.costs.potential) &&
      close(whole.savings.value, potential === 0 ? 0 : 100 * (1 - actual / potential)) &&
      actual <= potential
  }), { numRuns: 60 })
})

t.test('nothing costs before it ran or after now', async (t) => {
  const sandbox = await startClient(t)
  const { id } = await sandbox.create('/aws/ec2/managedInstance', managedInstance())
  const resource = `managedInstance/${id}`
  sandbox.clock.advance(2 * HOUR + 20_000)
  t.strictSame(await costs(sandbox, resource, START - 9 * HOUR, START), {
    running: { value: 0, unit: 'hours' },
    savings: { value: 0, unit: 'percentage' },
    costs: { actual: 0, potential: 0 }
  })
  const whole = await costs(sandbox, resource)
  t.match(whole, { running: { value: 2 }, costs: { potential: 0.0208 } }, 'without dates: from creation to now')
  t.strictSame(await costs(sandbox, resource, START - 9 * HOUR, START + 99 * HOUR), whole)
  const days = await sandbox.call('GET', `/aws/ec2/${resource}/costs?fromDate=2026-03-10&toDate=2026-03-11`)
  t.strictSame(days.items, [whole], 'days')
  const seconds = `fromDate=${START / 1000}&toDate=${START / 1000 + 7220}`
  t.strictSame((await sandbox.call('GET', `/aws/ec2/${resource}/costs?${seconds}`)).items, [whole], 'Unix seconds')
})

t.test('daily costs have an item for each day, and add up to the costs', async (t) => {
  const client = await startClient(t)
  const paths = [await client.grow(group()), await client.grow(managedInstance())]
  client.pass(2 * 86_400)
  for (const path of paths) {
    for (const [from, to] of [['2026-03-09T18:00:00Z', '2026-03-12T06:00:00Z'], ['2026-03-01', '2026-04-01']]) {
      const query = `fromDate=${from}&toDate=${to}`
      const [whole] = await client.get(`${path}/costs?${query}`) as unknown as Costs[]
      const daily = await client.get(`${path}/costs?${query}&aggregationPeriod=daily`) as unknown as Costs[]
      t.equal(daily.length, 3, `${path} ${query}`)
      const hours = daily.reduce((sum, { running }) => sum + running.value, 0)
      t.ok(Math.abs(hours - (whole?.running.value ?? 0)) < 1e-5)
    }
  }
  const days = 'fromDate=2026-03-11&toDate=2026-03-13&aggregationPeriod'
  const detailed = await client.get(`${paths[0]}/costs/detailed?${days}=daily`)
  t.equal(detailed.length, 8, 'four instances on two days')
  const refused = await client.call('GET', `${paths[0]}/costs?${days}=hourly`)
  t.strictSame(refused.errors.map(({ message }) => message), ['"aggregationPeriod" must be one of [daily]'])
})

t.test('the costs of a group need both dates, in order', async (t) => {
  const sandbox = await startClient(t, { seed: true })
  const cases: [string, string[]][] = [
    ['', ['"fromDate" is required', '"toDate" is required']],
    ['fromDate=2026-03-01', ['"toDate" is required']],
    ['fromDate=soon&toDate=2026-03-01', ['"fromDate" must be a valid date']],
    ['fromDate=2026-03-02&toDate=2026-03-01', ['"toDate" must be greater than or equal to "ref:fromDate"']]
  ]
  for (const [query, messages] of cases) {
    const { status, errors } = await sandbox.call('GET', `/aws/ec2/group/sig-0f3ac1d2/costs?${query}`)
    t.equal(status, 400)
    t.strictSame(errors.map((entry) => entry.message), messages, query)
  }
})

t.test('a locked instance, or one in standby, survives scaling down', async (t) => {
  const client = await startClient(t)
  const path = await client.grow(group())
  const before = ids(await client.get(`${path}/status`))
  const [one, two, three, four] = before
  const post = (id: unknown, action: string) => client.call('POST', `/aws/ec2/instance/${id}/${action}`)
  t.equal((await post(four, 'lock?ttlInMinutes=10')).status, 200)
  t.equal((await post(three, 'standby/enter')).status, 200)
  t.equal((await post(three, 'standby/enter')).errors[0]?.code, 'CANT_CHANGE_INSTANCE')
  t.match((await client.get(`${path}/status`))[3], { lockStatus: 'locked', protectedUntil: '2026-03-10T12:11:40.000Z' })
  t.match((await client.get(`${path}/instanceHealthiness`))[2], { healthStatus: 'UNKNOWN' })
  await client.call('PUT', `${path}/scale/down?adjustment=2`)
  t.strictSame(ids(await client.get(`${path}/status`)), [three, four])
  client.pass(600)
  await post(three, 'standby/exit')
  t.match((await client.get(`${path}/status`))[1], { lockStatus: 'unlocked' })
  await client.call('PUT', `${path}/capacity`, { capacity: { target: 1, minimum: 0 } })
  t.strictSame(ids(await client.get(`${path}/status`)), [three])
  for (const id of [one, two, 'i-0']) t.equal((await post(id, 'lock')).errors[0]?.code, 'INSTANCE_DOESNT_EXIST')
})

t.test('an interrupted instance is replaced, a stateful one recycled', async (t) => {
  const client = await startClient(t)
  const interrupt = (...instancesToInterrupt: unknown[]) =>
    client.call('POST', '/aws/ec2/instance/interruption', { instancesToInterrupt })
  const path = await client.grow(group())
  const [one, ...others] = ids(await client.get(`${path}/status`))
  t.equal((await interrupt(one, 'i-0')).errors[0]?.code, 'INSTANCE_DOESNT_EXIST')
  t.equal((await interrupt(one)).status, 200)
  t.strictSame(ids(await client.get(`${path}/status`)), [...others, null])
  const stateful = await client.grow(statefulGroup())
  const [first] = await client.get(`${stateful}/statefulInstance`)
  await interrupt(first?.instanceId)
  client.pass(60)
  const [after] = await client.get(`${stateful}/statefulInstance`)
  t.match(after, { id: first?.id, state: 'ACTIVE', privateIp: first?.privateIp })
  t.not(after?.instanceId, first?.instanceId)
})

t.test('a draining instance that is ready to shut down is terminated at once', async (t) => {
  const client = await startClient(t)
  const path = await client.grow(group())
  const [instanceId] = ids(await client.get(`${path}/status`))
  const lifeCycle = () => client.call('GET', `/aws/ec2/instance/${instanceId}`)
  t.match((await lifeCycle()).items, [{ instanceId, lifeCycleState: 'ACTIVE' }])
  const body = { instancesToDetach: [instanceId], shouldTerminateInstances: true, drainingTimeout: 600 }
  await client.call('PUT', `${path}/detachInstances`, body)
  t.match((await lifeCycle()).items, [{ lifeCycleState: 'TERMINATING' }])
  await client.call('POST', '/aws/ec2/instance/signal', { instanceId, signal: 'INSTANCE_READY_TO_SHUTDOWN' })
  t.equal((await lifeCycle()).errors[0]?.code, 'INSTANCE_DOESNT_EXIST')
})

t.test('an import creates a group, a dry run shows it', async (t) => {
  const client = await startClient(t)
  const path = '/aws/ec2/group/autoScalingGroup/import?region=us-west-2&autoScalingGroupName=web'
  const body = { group: { spotInstanceTypes: ['c5.large'] } }
  const { items: [dry] } = await client.call('POST', `${path}&dryRun=true`, body)
  t.match(dry, { name: 'web', region: 'us-west-2', compute: { instanceTypes: { spot: ['c5.large'] } } })
  t.strictSame(await client.get('/aws/ec2/group'), [])
  const { id, createdAt, updatedAt, ...created } = await client.create(path, body)
  t.strictSame(created, dry)
  t.match(await client.get('/aws/ec2/group'), [{ id, createdAt, updatedAt }])
})
