import t from 'tap'
import {
  bounds, group, ids, migration, MIGRATION, ROLL, startClient, statefulGroup, UNHEALTHY
} from './sandbox-client.js'
import type { Item } from './sandbox-client.js'

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

t.test('a roll proceeds in time, however late somebody looks', async (t) => {
  const client = await startClient(t)
  const path = await client.grow(group())
  await client.call('PUT', `${path}/roll`, ROLL)
  client.pass(100_000)
  t.match(await client.get(`${path}/roll`), [{ status: 'finished', updatedAt: '2026-03-10T12:04:30.000+0000' }])
})

t.test('a roll may restart instances instead of replacing them', async (t) => {
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
  await client.call('PUT', path, { group: UNHEALTHY })
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

t.test('an action undoes a failed batch, at once or on request', async (t) => {
  const failed = async (strategy: object = {}) => {
    const client = await startClient(t)
    const path = await client.grow(group())
    const old = ids(await client.get(`${path}/status`))
    await client.call('PUT', path, { group: UNHEALTHY })
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

t.test('a blue/green deployment of CodeDeploy replaces all instances, or undoes itself', async (t) => {
  const client = await startClient(t)
  const path = await client.grow(group())
  const before = ids(await client.get(`${path}/status`))
  const url = `${path}/codeDeploy/blueGreenDeployment`
  const deployment = { timeout: 20, deploymentGroups: [{ applicationName: 'app', deploymentGroupName: 'all' }] }
  const { items: [started] } = await client.call('POST', url, { deployment })
  t.match(started, { id: /^cdbg-/, state: 'STARTING', config: deployment })
  t.strictSame(await client.get(`${path}/roll`), [], 'it is not listed as a roll')
  t.match((await client.call('POST', url, { deployment })).errors, [{ code: 'DEPLOYMENT_ALREADY_IN_PROGRESS' }])
  client.pass(15)
  t.match(await client.get(url), [{ id: started?.id, state: 'IN_PROGRESS' }])
  client.pass(60)
  t.match(await client.get(url), [{ state: 'FINISHED' }])
  const after = ids(await client.get(`${path}/status`))
  t.equal(after.length, 4)
  t.notOk(after.some((id) => before.includes(id)))

  await client.call('PUT', path, { group: UNHEALTHY })
  await client.call('POST', url, { deployment })
  client.pass(60)
  t.match(await client.get(url), [{ state: 'FAILED' }, { id: started?.id, state: 'FINISHED' }])
  t.strictSame(ids(await client.get(`${path}/status`)), after)
  t.equal((await client.call('PUT', path, { group: { description: 'x' } })).status, 200, 'a failed one blocks nothing')
})

t.test('a roll is refused while fewer instances than the minimum run', async (t) => {
  const client = await startClient(t)
  const path = await client.grow(group({ capacity: { target: 0, minimum: 0, maximum: 8 } }))
  const code = async () => (await client.call('PUT', `${path}/roll`, ROLL)).errors[0]?.code
  t.equal(await code(), 'CANT_ROLL_CAPACITY_BELOW_MINIMUM', 'nothing to roll')
  await client.call('PUT', `${path}/capacity`, { capacity: { target: 3, minimum: 3 } })
  t.equal(await code(), 'CANT_ROLL_CAPACITY_BELOW_MINIMUM', 'still pending')
  client.pass(20)
  t.equal(await code(), undefined)
})

t.test('rolls are listed newest first, or as sorted', async (t) => {
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

t.test('a stateful group that is scaled down pauses instances, and resumes them on request', async (t) => {
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
  t.strictSame(await states(), ['ACTIVE', 'ACTIVE', 'PAUSED', 'ACTIVE'], 'otherwise it adds a new one')
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

t.test('a seeded sandbox has rolls and events of the past', async (t) => {
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
