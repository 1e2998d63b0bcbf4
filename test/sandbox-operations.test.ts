import t from 'tap'
import { group, managedInstance, migration, START, startClient, statefulGroup } from './sandbox-client.js'
import type { Client, Item } from './sandbox-client.js'

const ROLL = { batchSizePercentage: 50, gracePeriod: 60 }
const UNSOUND = { compute: { launchSpecification: { imageId: 'ami-00000bad0000000000' } } }
const MIGRATION = '/aws/ec2/managedInstance/migration'

const ids = (rows: Item[]) => rows.map((row) => row.instanceId)
const bounds = async ({ get }: Client, path: string) => (await get(path))[0]?.capacity
const days = (offset = 0) => `fromDate=${START - 86_400_000}&toDate=${START + offset}`

t.test('instances that have come up are watched: first nothing is known, then they are healthy or not', async (t) => {
  const client = await startClient(t)
  const path = await client.grow(group({ strategy: { onDemandCount: 1 } }))
  const health = () => client.get(`${path}/instanceHealthiness`)
  t.match(await health(), [
    { instanceId: /^i-0/, groupId: path.slice(-12), lifeCycle: 'OD', healthStatus: 'HEALTHY' },
    { spotRequestId: /^sir-/, lifeCycle: 'SPOT', availabilityZone: 'us-east-1a' }, {}, {}
  ])
  await client.call('PUT', path, { group: { ...UNSOUND, capacity: { target: 5 } } })
  t.equal((await health()).length, 4, 'a pending one is not watched')
  client.pass(20)
  t.match((await health()).at(-1), { healthStatus: 'INSUFFICIENT_DATA' })
  client.pass(40)
  t.match((await health()).at(-1), { healthStatus: 'UNHEALTHY' })
})

t.test('the vendor\'s own health checks show what the agent says', async (t) => {
  const client = await startClient(t)
  const path = await client.grow(group({ compute: { launchSpecification: { healthCheckType: 'HCS' } } }))
  t.match((await client.get(`${path}/instanceHealthiness`))[0], {
    agentHealth: { status: 'HEALTHY', lastChecked: '2026-03-10T12:01:40.000Z' }
  })
})

t.test('detailed costs name each instance that ran, and add up to the costs', async (t) => {
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

t.test('the capacity is set on its own, and what is not sent stays', async (t) => {
  const client = await startClient(t)
  const path = await client.grow(group())
  client.pass(1)
  const { items } = await client.call('PUT', `${path}/capacity`, { capacity: { target: 6, maximum: 9 } })
  t.strictSame(items, [{ capacity: { minimum: 2, maximum: 9, target: 6 } }])
  t.match(await client.get(path), [{ capacity: { target: 6, unit: 'instance' } }])
  t.match(await client.get(path), [{ updatedAt: '2026-03-10T12:01:41.000Z' }])
  t.equal((await client.get(`${path}/status`)).length, 6)
})

t.test('scaling moves the target and names who comes and who goes', async (t) => {
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

t.test('draining an instance keeps it costing until it is over', async (t) => {
  const client = await startClient(t)
  const path = await client.grow(group({ capacity: { target: 1, minimum: 0, maximum: 1 } }))
  const instancesToDetach = ids(await client.get(`${path}/status`))
  const body = { instancesToDetach, shouldTerminateInstances: true, shouldDecrementTargetCapacity: true }
  await client.call('PUT', `${path}/detachInstances`, { ...body, drainingTimeout: 3520 })
  client.pass(9000)
  t.match(await client.get(`${path}/costs?fromDate=2026-03-10&toDate=2026-03-11`), [{ running: { value: 1 } }])
})

t.test('a roll replaces the instances batch by batch', async (t) => {
  const client = await startClient(t)
  const path = await client.grow(group())
  const before = ids(await client.get(`${path}/status`))
  const { items: [started] } = await client.call('PUT', `${path}/roll`, ROLL)
  const at = '2026-03-10T12:01:40.000+0000'
  t.match(started?.id, /^sbgd-[0-9a-f]{8}$/)
  t.strictSame(started, {
    id: started?.id,
    status: 'starting',
    progress: { unit: 'percent', value: 0 },
    currentBatch: 0,
    numOfBatches: 2,
    gracePeriod: 60,
    createdAt: at,
    updatedAt: at
  })
  const roll = `${path}/roll/${started?.id}`
  const steps: [number, object][] = [
    [10, { status: 'in_progress', currentBatch: 1, progress: { value: 0 } }],
    [79, { status: 'in_progress', currentBatch: 1 }],
    [1, { status: 'in_progress', currentBatch: 2, progress: { value: 50 } }],
    [80, { status: 'finished', currentBatch: 2, progress: { value: 100 }, createdAt: at }]
  ]
  for (const [seconds, expected] of steps) {
    client.pass(seconds)
    t.match(await client.get(roll), [expected])
  }
  const after = ids(await client.get(`${path}/status`))
  t.equal(after.length, 4)
  t.notOk(after.some((id) => before.includes(id)), 'none of the old ones is left')
  const [status] = await client.get(`${roll}/status`)
  t.match(status, { numberOfBatches: 2, currentBatch: 2, strategyAction: 'REPLACE_SERVER', healthCheck: 'NONE' })
  const [{ blue, green }] = status?.instances as [{ blue: Item[], green: Item[] }]
  t.strictSame([ids(blue), ids(green)], [before, after])
  t.match(blue, Array(4).fill({ status: 'terminated', lifeCycle: 'SPOT' }))
  t.strictSame(green.map((row) => row.batchNum), [1, 1, 2, 2])
})

t.test('a roll that has been looked at late has gone on in time all the same', async (t) => {
  const client = await startClient(t)
  const path = await client.grow(group())
  await client.call('PUT', `${path}/roll`, ROLL)
  client.pass(100_000)
  t.match(await client.get(`${path}/roll`), [{ status: 'finished', updatedAt: '2026-03-10T12:04:30.000+0000' }])
})

t.test('a roll may restart the instances in their places', async (t) => {
  const client = await startClient(t)
  const path = await client.grow(group())
  const before = ids(await client.get(`${path}/status`))
  await client.call('PUT', `${path}/roll`, { ...ROLL, strategy: { action: 'RESTART_SERVER' } })
  client.pass(1000)
  t.match(await client.get(`${path}/roll`), [{ status: 'finished' }])
  t.strictSame(ids(await client.get(`${path}/status`)), before)
})

t.test('while a roll runs, and after it has failed, the group does not change', async (t) => {
  const client = await startClient(t)
  const path = await client.grow(group())
  await client.call('PUT', path, { group: UNSOUND })
  const { items: [{ id } = {}] } = await client.call('PUT', `${path}/roll`, ROLL)
  const roll = `${path}/roll/${id}`
  const [instance] = ids(await client.get(`${path}/status`))
  const changes: [string, object?][] = [
    ['', { group: { name: 'other' } }], ['/capacity', { capacity: { target: 2 } }], ['/scale/up'], ['/scale/down'],
    ['/detachInstances', { instancesToDetach: [instance] }]
  ]
  const refusesAll = async (when: string) => {
    const again = await client.call('PUT', `${path}/roll`, ROLL)
    t.equal(again.status, 400)
    t.strictSame(again.errors, [{
      code: 'DEPLOYMENT_ALREADY_IN_PROGRESS',
      message: 'Can\'t have 2 Rolls at the same time. Please stop the previous one.'
    }], when)
    for (const [suffix, body] of changes) {
      const { status, errors } = await client.call('PUT', path + suffix, body)
      t.strictSame([status, errors[0]?.code], [400, 'CANT_UPDATE_GROUP_DURING_ROLL'], `${when}: ${suffix}`)
    }
  }
  await refusesAll('starting')
  client.pass(50)
  await refusesAll('in progress')
  client.pass(40)
  t.match(await client.get(roll), [{ status: 'failed', currentBatch: 1, progress: { value: 0 } }])
  client.pass(1_000_000)
  await refusesAll('failed')
  t.equal((await client.get(`${path}/status`)).length, 6, 'old and new instances of the batch')

  const stopped = await client.call('PUT', roll, { roll: { status: 'STOPPED' } })
  t.equal(stopped.status, 200)
  t.match(await client.get(roll), [{ status: 'stopped' }])
  t.equal((await client.get(`${path}/status`)).length, 4, 'the new ones are gone')
  t.equal((await client.call('PUT', path, { group: { name: 'other' } })).status, 200)
  t.equal((await client.call('PUT', roll, { roll: { status: 'STOPPED' } })).errors[0]?.code, 'CANT_STOP_ROLL')
  t.equal((await client.call('PUT', `${path}/roll`, ROLL)).status, 200)
  t.equal((await client.call('DELETE', path)).status, 200, 'a group may be deleted all the same')
})

t.test('a failed batch is undone by an action, at once or when it is ordered', async (t) => {
  const failed = async (strategy: object = {}) => {
    const client = await startClient(t)
    const path = await client.grow(group())
    const old = ids(await client.get(`${path}/status`))
    await client.call('PUT', path, { group: UNSOUND })
    const { items: [{ id } = {}] } = await client.call('PUT', `${path}/roll`, { ...ROLL, strategy })
    client.pass(90)
    const all = ids(await client.get(`${path}/status`))
    const act = (body: object) => client.call('POST', `${path}/roll/${id}/action`, body)
    return { client, path, old, fresh: all.slice(4), act, all }
  }

  const byHand = await failed()
  const { items } = await byHand.act({ actionType: 'DETACH_NEW' })
  t.match(items, [{ groupId: /^sig-/, rollId: /^sbgd-/, actionType: 'DETACH_NEW', detachedInstances: byHand.fresh }])
  t.strictSame(ids(await byHand.client.get(`${byHand.path}/status`)), byHand.old)
  t.match(await byHand.client.get(`${byHand.path}/roll`), [{ status: 'failed' }], 'it blocks until it is stopped')

  const onFailure = await failed({ onFailure: { actionType: 'DETACH_NEW' } })
  t.strictSame(onFailure.all, onFailure.old)

  const forward = await failed()
  const { old, fresh, client, path } = forward
  t.strictSame((await forward.act({ actionType: 'DETACH_OLD' })).items[0]?.detachedInstances, old.slice(0, 2))
  await client.call('PUT', (await client.get(`${path}/roll`)).map(({ id }) => `${path}/roll/${id}`)[0] ?? '', {
    roll: { status: 'STOPPED' }
  })
  t.strictSame(ids(await client.get(`${path}/status`)), [...old.slice(2), ...fresh], 'stopping leaves them')

  const shrunk = await failed()
  await shrunk.act({ actionType: 'DETACH_OLD', shouldHandleAllBatches: true })
  t.match(await bounds(shrunk.client, shrunk.path), { target: 2 })
  const refilled = await failed()
  const all = { actionType: 'DETACH_OLD', shouldHandleAllBatches: true, shouldDecrementTargetCapacity: false }
  await refilled.act(all)
  t.match(await bounds(refilled.client, refilled.path), { target: 4 })
  t.equal((await refilled.client.get(`${refilled.path}/status`)).length, 4)

  const tolerant = await failed({ batchMinHealthyPercentage: 0 })
  t.match(await tolerant.client.get(`${tolerant.path}/roll`), [{ status: 'in_progress', currentBatch: 2 }])
  t.equal((await tolerant.act({ actionType: 'DETACH_NEW' })).errors[0]?.code, 'CANT_ACT_ON_ROLL')
})

t.test('a roll does not begin before the minimum is up', async (t) => {
  const client = await startClient(t)
  const path = await client.grow(group({ capacity: { target: 0, minimum: 0, maximum: 8 } }))
  const code = async () => (await client.call('PUT', `${path}/roll`, ROLL)).errors[0]?.code
  t.equal(await code(), 'CANT_ROLL_CAPACITY_BELOW_MINIMUM', 'nothing to roll')
  await client.call('PUT', `${path}/capacity`, { capacity: { target: 3, minimum: 3 } })
  t.equal(await code(), 'CANT_ROLL_CAPACITY_BELOW_MINIMUM', 'still pending')
  client.pass(20)
  t.equal(await code(), undefined)
})

t.test('rolls are listed newest first, or as asked', async (t) => {
  const client = await startClient(t)
  const path = await client.grow(group())
  for (let round = 0; round < 3; round++) {
    await client.call('PUT', `${path}/roll`, ROLL)
    client.pass(1000)
  }
  const created = async (query: string) => (await client.get(`${path}/roll${query}`)).map((roll) => roll.createdAt)
  const newest = await created('')
  t.strictSame(newest, [...newest].sort().reverse())
  t.strictSame(await created('?sort=createdAt:ASC'), [...newest].reverse())
  t.strictSame(await created('?sort=createdAt:DESC&limit=2'), newest.slice(0, 2))
})

t.test('events tell what happened to a group', async (t) => {
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

t.test('the log tells it line by line, for three months', async (t) => {
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

t.test('a log answers at most 500 lines, or up to 1000 when asked', async (t) => {
  const client = await startClient(t)
  const path = await client.grow(group({ capacity: { target: 600, minimum: 0, maximum: 1000 } }))
  t.equal((await client.get(`${path}/logs?${days(1_000_000)}`)).length, 500)
  t.equal((await client.get(`${path}/logs?${days(1_000_000)}&limit=1000`)).length, 1000)
})

t.test('processes are suspended for a time, or until they are removed', async (t) => {
  const client = await startClient(t)
  const path = `${await client.grow(group())}/suspension`
  const groupId = path.slice(-23, -11)
  t.strictSame(await client.get(path), [{ groupId, processes: [], suspensions: [] }])
  await client.call('POST', path, { processes: ['AUTO_SCALE'] })
  const body = { suspensions: [{ name: 'AUTO_HEALING', ttlInMinutes: 10 }, { name: 'SCHEDULING' }] }
  const { items } = await client.call('POST', path, body)
  t.strictSame(items, [{
    groupId,
    processes: ['AUTO_SCALE', 'AUTO_HEALING', 'SCHEDULING'],
    suspensions: [
      { name: 'AUTO_SCALE', expiresAt: null },
      { name: 'AUTO_HEALING', expiresAt: '2026-03-10T12:11:40.000+0000' },
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

t.test('the instances of a stateful group keep disks and address through pause, resume and recycle', async (t) => {
  const client = await startClient(t)
  const path = await client.grow(statefulGroup())
  const list = () => client.get(`${path}/statefulInstance`)
  const all = await list()
  t.equal(all.length, 3)
  const [one, two] = all
  t.match(one, {
    id: /^ssi-[0-9a-f]{8}$/,
    instanceId: (await client.get(`${path}/status`))[0]?.instanceId,
    privateIp: /^172\.31\./,
    imageId: 'ami-0a1b2c3d4e5f60718',
    state: 'ACTIVE',
    devices: [{ deviceName: '/dev/xvda', volumeId: /^vol-[0-9a-f]{17}$/, snapshotId: /^snap-[0-9a-f]{17}$/ }],
    launchedAt: '2026-03-10T12:00:20.000Z',
    createdAt: '2026-03-10T12:00:00.000Z'
  })
  const act = async (verb: string) => {
    const { status, errors } = await client.call('PUT', `${path}/statefulInstance/${one?.id}/${verb}`)
    return status === 200 ? (await list())[0]?.state : errors[0]?.code
  }
  const settled = async (seconds: number) => {
    client.pass(seconds)
    return (await list())[0]
  }

  t.equal(await act('resume'), 'CANT_CHANGE_STATEFUL_INSTANCE')
  t.equal(await act('pause'), 'PAUSING')
  t.equal(await act('pause'), 'CANT_CHANGE_STATEFUL_INSTANCE')
  const paused = await settled(30)
  t.match(paused, { state: 'PAUSED', devices: one?.devices })
  t.notOk('instanceId' in (paused ?? {}))
  t.match(await bounds(client, path), { target: 2 })
  t.equal((await client.get(`${path}/status`)).length, 2)
  t.equal(await act('resume'), 'RESUMING')
  t.match(await bounds(client, path), { target: 3 })
  const resumed = await settled(20)
  t.match(resumed, { state: 'ACTIVE', privateIp: one?.privateIp, devices: one?.devices })
  t.not(resumed?.instanceId, one?.instanceId)

  t.equal(await act('recycle'), 'RECYCLING')
  t.match(await settled(49), { state: 'RECYCLING' })
  const recycled = await settled(1)
  t.match(recycled, { state: 'ACTIVE', privateIp: one?.privateIp })
  t.not(recycled?.instanceId, resumed?.instanceId)

  t.equal(await act('deallocate'), 'DEALLOCATING')
  t.match(await settled(30), { state: 'DEALLOCATED', devices: [] })
  t.match(await bounds(client, path), { target: 2 })
  t.equal(await act('resume'), 'CANT_CHANGE_STATEFUL_INSTANCE')

  const [device] = two?.devices as [{ volumeId: string }]
  const volume = `${path}/statefulInstance/${two?.id}/volume/${device.volumeId}`
  t.equal((await client.call('DELETE', volume)).status, 200)
  t.match((await list())[1], { devices: [] })
  t.equal((await client.call('DELETE', volume)).errors[0]?.code, 'VOLUME_DOESNT_EXIST')
})

t.test('a stateful group that gets smaller pauses, and resumes when it is told to', async (t) => {
  const client = await startClient(t)
  const path = await client.grow(statefulGroup())
  const states = async () => (await client.get(`${path}/statefulInstance`)).map(({ state }) => state)
  await client.call('PUT', `${path}/scale/down?adjustment=2`)
  client.pass(60)
  t.strictSame(await states(), ['ACTIVE', 'PAUSED', 'PAUSED'])
  await client.call('PUT', `${path}?shouldResumeStateful=true`, { group: { capacity: { target: 2 } } })
  t.strictSame(await states(), ['ACTIVE', 'RESUMING', 'PAUSED'])
  await client.call('PUT', `${path}/capacity`, { capacity: { target: 3 } })
  client.pass(60)
  t.strictSame(await states(), ['ACTIVE', 'ACTIVE', 'PAUSED', 'ACTIVE'], 'not told to, it makes a new one')
})

t.test('a roll of a stateful group gives its instances new machines', async (t) => {
  const client = await startClient(t)
  const path = await client.grow(statefulGroup())
  const list = () => client.get(`${path}/statefulInstance`)
  const before = await list()
  await client.call('PUT', `${path}/roll`, ROLL)
  client.pass(1000)
  const after = await list()
  t.strictSame(after.map(({ id, devices }) => [id, devices]), before.map(({ id, devices }) => [id, devices]))
  t.notOk(ids(after).some((id) => ids(before).includes(id)))
})

t.test('a group that stops being stateful has no stateful instances any more', async (t) => {
  const client = await startClient(t)
  const path = await client.grow(statefulGroup())
  const [one] = await client.get(`${path}/statefulInstance`)
  await client.call('PUT', `${path}/statefulInstance/${one?.id}/recycle`)
  await client.call('PUT', path, { group: { strategy: { persistence: null } } })
  client.pass(100)
  t.strictSame(await client.get(`${path}/statefulInstance`), [])
  t.equal((await client.get(`${path}/status`)).length, 3)
})

t.test('groups are filtered by when they were active, and the deleted come when they are asked for', async (t) => {
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

t.test('the options of an update are taken, and show in the log', async (t) => {
  const client = await startClient(t)
  const path = await client.grow(group())
  await client.call('PUT', `${path}?autoApplyTags=true`, { group: { name: 'x' } })
  t.match(await client.get(`${path}/logs?${days(1_000_000)}&limit=1`), [{ message: /tags .* were applied/ }])
  const node = await client.grow(managedInstance())
  t.equal((await client.call('PUT', `${node}?autoApplyTags=false`, { managedInstance: { name: 'x' } })).status, 200)
  t.match(client.transcript.at(-1)?.query, { autoApplyTags: 'false' })
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

t.test('many are migrated at once; those that cannot be are listed beside', async (t) => {
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

t.test('what is unknown is a 400 that names it', async (t) => {
  const client = await startClient(t)
  const path = await client.grow(group())
  const unknown = '/aws/ec2/group/sig-00000000'
  const node = await client.grow(managedInstance())
  const gone = '/aws/ec2/managedInstance/smi-00000000'
  const stopped = { roll: { status: 'STOPPED' } }
  const stateful = `${path}/statefulInstance/ssi-0`
  const cases: [string, string, string, object?][] = [
    ...([
      ['GET', '/instanceHealthiness'], ['GET', '/costs/detailed'], ['PUT', '/capacity'], ['PUT', '/scale/up'],
      ['PUT', '/scale/down'], ['PUT', '/detachInstances'], ['GET', '/roll'], ['PUT', '/roll'], ['GET', '/roll/x'],
      ['PUT', '/roll/x'], ['GET', '/roll/x/status'], ['POST', '/roll/x/action'], ['GET', '/events'], ['GET', '/logs'],
      ['GET', '/suspension'], ['POST', '/suspension'], ['DELETE', '/suspension'], ['GET', '/statefulInstance'],
      ['PUT', '/statefulInstance/x/pause'], ['DELETE', '/statefulInstance/x/volume/y']
    ] as const).map(([method, suffix]): [string, string, string] => ['GROUP_DOESNT_EXIST', method, unknown + suffix]),
    ...['pause', 'resume', 'recycle'].map((verb): [string, string, string] =>
      ['MANAGED_INSTANCE_DOESNT_EXIST', 'PUT', `${gone}/${verb}`]),
    ['MANAGED_INSTANCE_DOESNT_EXIST', 'DELETE', `${gone}/volume/vol-1`],
    ['ROLL_DOESNT_EXIST', 'GET', `${path}/roll/sbgd-0`],
    ['ROLL_DOESNT_EXIST', 'PUT', `${path}/roll/sbgd-0`, stopped],
    ['ROLL_DOESNT_EXIST', 'GET', `${path}/roll/sbgd-0/status`],
    ['ROLL_DOESNT_EXIST', 'POST', `${path}/roll/sbgd-0/action`, { actionType: 'DETACH_NEW' }],
    ['INSTANCE_DOESNT_EXIST', 'PUT', `${path}/detachInstances`, { instancesToDetach: ['i-0'] }],
    ...['pause', 'resume', 'recycle', 'deallocate'].map((verb): [string, string, string] =>
      ['STATEFUL_INSTANCE_DOESNT_EXIST', 'PUT', `${stateful}/${verb}`]),
    ['STATEFUL_INSTANCE_DOESNT_EXIST', 'DELETE', `${stateful}/volume/vol-1`],
    ['SUSPEND_PROCESSES_DOESNT_EXIST', 'DELETE', `${path}/suspension`, { processes: ['AUTO_SCALE'] }],
    ['VOLUME_DOESNT_EXIST', 'DELETE', `${node}/volume/vol-2`],
    ['MIGRATION_DOESNT_EXIST', 'GET', `${MIGRATION}/smg-00000000`]
  ]
  for (const [code, method, url, body] of cases) {
    const { status, errors } = await client.call(method, url, body)
    t.match([status, errors], [400, [{ code, message: /doesn't exist|isn't in group|Not suspended/ }]], `${method} ${url}`)
  }
  t.strictSame((await client.call('POST', `${MIGRATION}/search`, { migrationIds: ['smg-0'] })).items, [])
})

t.test('what is wrong with a body or a query is said in the words of Joi', async (t) => {
  const client = await startClient(t)
  const path = await client.grow(group())
  const [instance] = ids(await client.get(`${path}/status`))
  const action = { actionType: 'DETACH', batchNum: 0, drainingTimeout: '5' }
  await client.call('PUT', `${path}/roll`, ROLL)
  const rollId = (await client.get(`${path}/roll`))[0]?.id
  client.pass(1000)
  const state = '/aws/ec2/managedInstance/state'
  const cases: [string, string, unknown, ...string[]][] = [
    ['PUT', `${path}/capacity`, undefined, '"capacity" is required'],
    ['PUT', `${path}/capacity`, [], '"value" must be an object'],
    ['PUT', `${path}/capacity`, { capacity: { target: null, minimum: '1', unit: 'instance' }, x: 1 },
      '"x" is not allowed', '"unit" is not allowed', '"minimum" must be a number', '"target" must be a number'],
    ['PUT', `${path}/capacity`, { capacity: { target: 9 } }, '"target" must be less than or equal to "ref:maximum"'],
    ['PUT', `${path}/scale/up?adjustment=0`, undefined, '"adjustment" must be greater than or equal to 1'],
    ['PUT', `${path}/scale/down?adjustment=two`, undefined, '"adjustment" must be a number'],
    ['PUT', `${path}/scale/down?adjustment=1.5`, undefined, '"adjustment" must be an integer'],
    ['PUT', `${path}?autoApplyTags=yes`, { group: {} }, '"autoApplyTags" must be a boolean'],
    ['PUT', `${path}?shouldResumeStateful=1`, { group: {} }, '"shouldResumeStateful" must be a boolean'],
    ['PUT', `${path}/detachInstances`, { shouldTerminateInstances: 'yes' },
      '"instancesToDetach" is required', '"shouldTerminateInstances" must be a boolean'],
    ['PUT', `${path}/detachInstances`, { instancesToDetach: [] }, '"instancesToDetach" must contain at least 1 items'],
    ['PUT', `${path}/detachInstances`, { instancesToDetach: [1] }, '"0" must be a string'],
    ['PUT', `${path}/detachInstances`, {
      instancesToDetach: ids(await client.get(`${path}/status`)), shouldDecrementTargetCapacity: true
    }, '"target" must be greater than or equal to "ref:minimum"'],
    ['PUT', `${path}/roll`, undefined, '"batchSizePercentage" is required', '"gracePeriod" is required'],
    ['PUT', `${path}/roll`, { batchSizePercentage: 101, gracePeriod: -1, healthCheckType: 'HTTP', roll: {} },
      '"roll" is not allowed', '"batchSizePercentage" must be less than or equal to 100',
      '"gracePeriod" must be greater than or equal to 0',
      '"healthCheckType" must be one of [ELB, ECS_CLUSTER_INSTANCE, TARGET_GROUP, OPSWORKS, NOMAD_NODE, HCS, EC2, ' +
        'K8S_NODE, NONE]'],
    ['PUT', `${path}/roll`, { ...ROLL, strategy: { action: 'REPLACE', onFailure: { all: true } } },
      '"all" is not allowed', '"action" must be one of [REPLACE_SERVER, RESTART_SERVER]', '"actionType" is required'],
    ['GET', `${path}/roll?limit=0&sort=name`, undefined, '"limit" must be greater than or equal to 1',
      '"sort" must be one of [createdAt:DESC, createdAt:ASC]'],
    ['PUT', `${path}/roll/${rollId}`, { status: 'STOPPED' }, '"status" is not allowed', '"roll" is required'],
    ['PUT', `${path}/roll/${rollId}`, { roll: { status: 'stopped' } }, '"status" must be one of [STOPPED]'],
    ['POST', `${path}/roll/${rollId}/action`, action, '"actionType" must be one of [DETACH_OLD, DETACH_NEW]',
      '"drainingTimeout" must be a number', '"batchNum" must be greater than or equal to 1'],
    ['GET', `${path}/events`, undefined, '"fromDate" is required'],
    ['GET', `${path}/events?fromDate=soon`, undefined, '"fromDate" must be a valid date'],
    ['GET', `${path}/logs`, undefined, '"fromDate" is required', '"toDate" is required'],
    ['GET', `${path}/logs?fromDate=2026-03-10&toDate=1&severity=ERROR&limit=1001`, undefined,
      '"fromDate" must be a number', '"severity" must be one of [ALL, INFO, DEBUG, WARN]',
      '"limit" must be less than or equal to 1000'],
    ['POST', `${path}/suspension`, {}, '"value" must contain at least one of [processes, suspensions]'],
    ['POST', `${path}/suspension`, { processes: ['SCHEDULING'], suspensions: [{ name: 'SCHEDULING' }] },
      '"value" contains a conflict between exclusive peers [processes, suspensions]'],
    ['POST', `${path}/suspension`, { suspensions: [{ ttlInMinutes: 0, name: 1 }, 'AUTO_SCALE', {}] },
      '"1" must be an object', '"name" must be a string', '"name" is required',
      '"ttlInMinutes" must be greater than or equal to 1'],
    ['DELETE', `${path}/suspension`, undefined, '"processes" is required'],
    ['GET', '/aws/ec2/group?includeDeleted=1', undefined, '"includeDeleted" must be a boolean'],
    ['GET', '/aws/ec2/group?activeFrom=never', undefined, '"activeFrom" must be a valid date'],
    ['GET', '/aws/ec2/group?minCreatedAt=2026-01-01&activeTo=2026-01-01', undefined,
      '"value" contains a conflict between exclusive peers [minCreatedAt, activeTo]'],
    ['PUT', state, {}, '"managedInstanceStates" is required'],
    ['PUT', state, { managedInstanceStates: [{ id: 'smi-1', state: 'RECYCLE' }] },
      '"state" must be one of [PAUSE, RESUME]'],
    ['PUT', state, { managedInstanceStates: Array(2).fill({ id: 'smi-1', state: 'PAUSE' }) },
      '"1" contains a duplicate value'],
    ['POST', MIGRATION, {}, '"migration" is required'],
    ['POST', MIGRATION, { migration: { region: 1, instanceId: instance, availabilityZones: [{ subnetIds: 's' }] } },
      '"instanceId" is not allowed', '"originalInstanceId" is required', '"region" must be a string',
      '"subnetIds" must be an array'],
    ['POST', `${MIGRATION}/bulk`, { migrations: [{ region: 'us-east-1' }] }, '"originalInstanceId" is required'],
    ['POST', `${MIGRATION}/bulk`, { migrations: [] }, '"migrations" must contain at least 1 items'],
    ['POST', `${MIGRATION}/search`, { migrationIds: [1] }, '"0" must be a string']
  ]
  for (const [method, url, body, ...messages] of cases) {
    const { status, errors } = await client.call(method, url, body)
    t.equal(status, 400, `${method} ${url}`)
    t.strictSame(errors.map(({ message }) => message), messages)
    t.ok(errors.every(({ code, field }) => code === 'ValidationError' && field !== undefined))
  }
})

t.test('AWS throttling and other refusals are made up with a fault', async (t) => {
  const client = await startClient(t)
  const cases = [
    { code: 'RequestLimitExceeded', message: 'Request limit exceeded.' },
    { code: 'CANT_CREATE_GROUP', message: 'Failed to create group' }
  ]
  for (const entry of cases) {
    client.faults.inject({ method: 'POST', path: '/aws/ec2/group', errors: [entry] })
    const { status, response } = await client.call('POST', '/aws/ec2/group', group())
    t.equal(status, 400)
    t.strictSame(response, { status: { code: 400, message: 'Bad Request' }, errors: [entry] })
  }
  client.faults.inject({ status: 409, errors: cases })
  t.strictSame((await client.call('GET', '/aws/ec2/group')).errors, cases)
  t.strictSame(await client.get('/aws/ec2/group'), [], 'nothing was created')
})

t.test('a seeded sandbox has a past', async (t) => {
  const client = await startClient(t, { seed: true })
  const path = '/aws/ec2/group/sig-0f3ac1d2'
  t.match(await client.get(`${path}/roll`), [{ status: 'finished', numOfBatches: 4, progress: { value: 100 } }])
  const events = await client.get(`${path}/events?fromDate=2026-01-01`)
  const types = [...new Set(events.map(({ eventType }) => eventType))]
  t.strictSame(types, ['Roll', 'InstanceReplacement', 'Update', 'Create'])
  t.equal((await client.get('/aws/ec2/group/sig-2d6c90b8/statefulInstance')).length, 2)
})

t.test('the same history gives the same ids', async (t) => {
  const histories = []
  for (let round = 0; round < 2; round++) {
    const client = await startClient(t, { seed: true })
    await client.call('PUT', '/aws/ec2/group/sig-0f3ac1d2/roll', ROLL)
    await client.call('POST', MIGRATION, { migration: migration('i-0123456789abcdef0') })
    client.pass(3600)
    histories.push([
      await client.get('/aws/ec2/group/sig-0f3ac1d2/status'),
      await client.get('/aws/ec2/group/sig-0f3ac1d2/roll'),
      await client.get('/aws/ec2/group/sig-2d6c90b8/statefulInstance'),
      await client.get('/aws/ec2/managedInstance')
    ])
  }
  t.strictSame(histories[0], histories[1])
})
