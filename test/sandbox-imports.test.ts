import t from 'tap'
import { group, ids, migration, MIGRATION, startClient } from './sandbox-client.js'

t.test('a migration of an EC2 instance ends with a managed instance that runs', async (t) => {
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

t.test('many instances are migrated at once, and failures are listed beside them', async (t) => {
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

t.test('an import of an Auto Scaling group creates a group, and a dry run shows it', async (t) => {
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

t.test('a stateful import ends with a stateful group that runs', async (t) => {
  const client = await startClient(t)
  const all = '/aws/ec2/statefulMigrationGroup'
  const start = async (originalInstanceId: string, more: object = {}) => client.call('POST', all, {
    statefulMigrationGroup: { originalInstanceId, name: 'moved', shouldKeepPrivateIp: true, ...more }
  })
  const more = { spotInstanceTypes: ['c5.large'], region: 'us-west-2' }
  const { items: [started] } = await start('i-0123456789abcdef0', more)
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
