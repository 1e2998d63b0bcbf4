import t from 'tap'
import { group, ids, managedInstance, startClient, statefulGroup } from './sandbox-client.js'

t.test('a managed instance is returned exactly as it was sent, from POST to DELETE', async (t) => {
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

t.test('the states of many managed instances change together, or none does', async (t) => {
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

t.test('a managed instance that is deleted while it is recycled stays deleted', async (t) => {
  const client = await startClient(t)
  const path = await client.grow(managedInstance())
  await client.call('PUT', `${path}/recycle`)
  await client.call('DELETE', path)
  client.pass(100)
  t.strictSame(await client.get('/aws/ec2/managedInstance'), [])
})

t.test('a volume is detached from a managed instance', async (t) => {
  const client = await startClient(t)
  const path = await client.grow(managedInstance())
  t.equal((await client.call('DELETE', `${path}/volume/vol-1`)).status, 200)
  t.match(await client.get(path), [{ compute: { volumeAttachments: { volumes: [] } } }])
  t.equal((await client.call('DELETE', `${path}/volume/vol-1`)).errors[0]?.code, 'VOLUME_DOESNT_EXIST')
})

t.test('seeded resources run from the start', async (t) => {
  const sandbox = await startClient(t, { seed: true })
  t.match((await sandbox.call('GET', '/aws/ec2/group/sig-0f3ac1d2/status')).items, [
    { status: 'running' }, { status: 'fulfilled' }, { status: 'fulfilled' }, { status: 'fulfilled' }
  ])
  for (const id of ['smi-4e8b21f7', 'smi-a90c3d58']) {
    t.match((await sandbox.call('GET', `/aws/ec2/managedInstance/${id}/status`)).items, [{ status: 'ACTIVE' }])
  }
})

t.test('a locked instance, or one in standby, survives scaling down', async (t) => {
  const client = await startClient(t)
  const path = await client.grow(group())
  const before = ids(await client.get(`${path}/status`))
  const [one, two, three, four] = before
  const post = (id: unknown, action: string) => client.call('POST', `/aws/ec2/instance/${id}/${action}`)
  t.equal((await post(four, 'lock?ttlInMinutes=999999999999')).status, 200)
  t.match((await client.get(`${path}/status`))[3], { lockStatus: 'locked', protectedUntil: undefined }, 'for ever')
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
