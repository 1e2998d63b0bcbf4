import t from 'tap'
import { group, ids, managedInstance, MIGRATION, ROLL, startClient } from './sandbox-client.js'

t.test('a PUT merges: missing keeps, null clears, arrays are replaced', async (t) => {
  const sandbox = await startClient(t)
  const cases: [string, { before: object, sent: object, after: object }][] = [
    ['missing keeps', { before: { x: { a: 1, b: 2 } }, sent: { x: { a: 3 } }, after: { x: { a: 3, b: 2 } } }],
    ['null clears a value', { before: { x: { a: 1 } }, sent: { x: { a: null } }, after: { x: { a: null } } }],
    ['null clears an object', { before: { x: { a: 1 } }, sent: { x: null }, after: { x: null } }],
    ['an object fills a null', { before: { x: null }, sent: { x: { a: 1 } }, after: { x: { a: 1 } } }],
    ['an empty object keeps', { before: { x: { a: 1 } }, sent: { x: {} }, after: { x: { a: 1 } } }],
    ['arrays are replaced', { before: { x: [1, 2, { a: 1 }] }, sent: { x: [{ b: 1 }] }, after: { x: [{ b: 1 }] } }],
    ['an empty array empties', { before: { x: [1] }, sent: { x: [] }, after: { x: [] } }],
    ['zero, false and empty are values', {
      before: { x: { a: 1, b: true, c: 'c' } },
      sent: { x: { a: 0, b: false, c: '' } },
      after: { x: { a: 0, b: false, c: '' } }
    }],
    ['a new key joins', { before: { x: { a: 1 } }, sent: { x: { d: [] } }, after: { x: { a: 1, d: [] } } }],
    ['a scalar replaces an object', { before: { x: { a: 1 } }, sent: { x: 1 }, after: { x: 1 } }]
  ]
  for (const [name, { before, sent, after }] of cases) {
    const { id } = await sandbox.create('/aws/ec2/group', group(before))
    const { items: [item] } = await sandbox.call('PUT', `/aws/ec2/group/${id}`, { group: sent })
    const { createdAt, updatedAt } = item ?? {}
    t.strictSame(item, { ...group(after).group, id, createdAt, updatedAt }, name)
  }
})

t.test('a "__proto__" in a body is a key like any other', async (t) => {
  const sandbox = await startClient(t)
  const x = JSON.parse('{"__proto__":{"a":1}}') as object
  const { id } = await sandbox.create('/aws/ec2/group', group({ x }))
  const update = '{"group":{"x":{"__proto__":{"b":2}}}}'
  const answer = await sandbox.call('PUT', `/aws/ec2/group/${id}`, undefined, { body: update })
  t.match(answer.text, '"x":{"__proto__":{"a":1,"b":2}}')
})

t.test('a field that is fixed at creation cannot be changed, but may be repeated', async (t) => {
  const sandbox = await startClient(t)
  const paths = {
    group: `/aws/ec2/group/${(await sandbox.create('/aws/ec2/group', group())).id}`,
    managedInstance: `/aws/ec2/managedInstance/${
      (await sandbox.create('/aws/ec2/managedInstance', managedInstance())).id}`
  }
  const cases: ['group' | 'managedInstance', string, object, object][] = [
    ['group', 'capacity.unit', { capacity: { unit: 'instance' } }, { capacity: { unit: 'weight' } }],
    ['group', 'compute.product', { compute: { product: 'Linux/UNIX' } }, { compute: { product: 'Windows' } }],
    ['group', 'region', { region: 'us-east-1' }, { region: 'us-west-2' }],
    ['managedInstance', 'compute.product', { compute: { product: 'Linux/UNIX' } }, { compute: { product: null } }],
    ['managedInstance', 'region', { region: 'us-east-1' }, { region: 'us-west-2' }]
  ]
  for (const [envelope, path, same, other] of cases) {
    t.equal((await sandbox.call('PUT', paths[envelope], { [envelope]: same })).status, 200, `${path} repeated`)
    const before = (await sandbox.call('GET', paths[envelope])).items
    const { status, errors } = await sandbox.call('PUT', paths[envelope], { [envelope]: other })
    t.equal(status, 400, `${path} changed`)
    t.match(errors, [{ field: `${envelope}.${path}` }])
    t.strictSame((await sandbox.call('GET', paths[envelope])).items, before, 'nothing was changed')
  }
})

t.test('an invalid body is refused in the words of Joi, all errors at once', async (t) => {
  const sandbox = await startClient(t)
  const { id } = await sandbox.create('/aws/ec2/group', group())
  const peers = { spot: ['m5.large'], resourceRequirements: null }
  const cases: [string, string, unknown, [string, string][]][] = [
    ['POST', '/aws/ec2/group', undefined, [['"group" is required', 'group']]],
    ['POST', '/aws/ec2/group', group().group, [['"group" is required', 'group']]],
    ['POST', '/aws/ec2/group', { group: null }, [['"group" must be an object', 'group']]],
    ['POST', '/aws/ec2/group', { ...group(), more: 1 }, [['"more" is not allowed', 'more']]],
    ['POST', '/aws/ec2/group', { group: { capacity: { target: 'two', minimum: 1.5, maximum: -1 } } }, [
      ['"name" is required', 'group.name'],
      ['"minimum" must be an integer', 'group.capacity.minimum'],
      ['"target" must be a number', 'group.capacity.target'],
      ['"maximum" must be greater than or equal to 0', 'group.capacity.maximum'],
      ['"strategy" is required', 'group.strategy'],
      ['"compute" is required', 'group.compute']
    ]],
    ['POST', '/aws/ec2/group', group({ name: null }), [['"name" must be a string', 'group.name']]],
    ['POST', '/aws/ec2/group', { group: { name: 'bare' } }, ['capacity', 'strategy', 'compute'].map((key) =>
      [`"${key}" is required`, `group.${key}`])],
    ['POST', '/aws/ec2/group', group({ thirdPartiesIntegration: { ecs: { clusterName: 1 } } }), [
      ['"clusterName" must be a string', 'group.thirdPartiesIntegration.ecs.clusterName']
    ]],
    ['POST', '/aws/ec2/group', group({ capacity: { target: 11, minimum: 0, maximum: 10 } }), [
      ['"target" must be less than or equal to "ref:maximum"', 'group.capacity.target']
    ]],
    ['POST', '/aws/ec2/group', group({ compute: { launchSpecification: { tags: [{ tagKey: 1 }] } } }), [
      ['"tagKey" must be a string', 'group.compute.launchSpecification.tags.0.tagKey']
    ]],
    ['POST', '/aws/ec2/group', group({ compute: { instanceTypes: { ondemand: 'm5.large', onDemandTypes: [] } } }), [
      ['Cannot set both \'ondemand\' and \'onDemandTypes\' parameters', 'group.compute.instanceTypes']
    ]],
    ['POST', '/aws/ec2/group', group({ compute: { instanceTypes: peers } }), [[
      '"value" contains a conflict between exclusive peers [resourceRequirements, spot]', 'group.compute.instanceTypes'
    ]]],
    ['PUT', `/aws/ec2/group/${id}`, { group: { id } }, [['"id" is not allowed', 'group.id']]],
    ['PUT', `/aws/ec2/group/${id}`, { group: { createdAt: '', updatedAt: '' } }, [
      ['"createdAt" is not allowed', 'group.createdAt'],
      ['"updatedAt" is not allowed', 'group.updatedAt']
    ]],
    ['PUT', `/aws/ec2/group/${id}`, { group: { capacity: { minimum: 5 } } }, [
      ['"target" must be greater than or equal to "ref:minimum"', 'group.capacity.target']
    ]],
    ['PUT', `/aws/ec2/group/${id}`, { group: { compute: { instanceTypes: { onDemandTypes: ['m5.large'] } } } }, [
      ['Cannot set both \'ondemand\' and \'onDemandTypes\' parameters', 'group.compute.instanceTypes']
    ]],
    ['DELETE', `/aws/ec2/group/${id}`, { statefulDeallocation: { shouldDeleteImages: 1 }, all: true }, [
      ['"all" is not allowed', 'all'],
      ['"shouldDeleteImages" must be a boolean', 'statefulDeallocation.shouldDeleteImages']
    ]],
    ['POST', '/aws/ec2/managedInstance', { managedInstance: { name: '', compute: { vpcId: null } } }, [
      ['"name" is not allowed to be empty', 'managedInstance.name'],
      ['"region" is required', 'managedInstance.region'],
      ['"vpcId" must be a string', 'managedInstance.compute.vpcId'],
      ['"subnetIds" is required', 'managedInstance.compute.subnetIds']
    ]]
  ]
  for (const [method, path, body, expected] of cases) {
    const { status, errors } = await sandbox.call(method, path, body)
    const name = JSON.stringify(body)
    t.equal(status, 400, name)
    t.strictSame(errors.map(({ message, field }) => [message, field]), expected, name)
  }
  t.equal(sandbox.transcript.filter((entry) => entry.committed).length, 1, 'none of them was carried out')
})

t.test('text is converted as Joi does where a number or a boolean belongs', async (t) => {
  const client = await startClient(t)
  const sent = { capacity: { target: '4', minimum: '2', maximum: 8 }, strategy: { risk: '99.5', fallbackToOd: 'True' } }
  const { id, capacity, strategy } = await client.create('/aws/ec2/group', group(sent))
  t.strictSame([capacity, strategy], [
    { target: 4, minimum: 2, maximum: 8 }, { risk: 99.5, fallbackToOd: true }
  ])
  const path = `/aws/ec2/group/${id}`
  const { items } = await client.call('PUT', `${path}/capacity`, { capacity: { target: '3' } })
  t.match(items, [{ capacity: { target: 3 } }])
  t.equal((await client.call('PUT', `${path}?autoApplyTags=True`, { group: { name: '5' } })).status, 200)
  t.match(await client.get(path), [{ name: '5' }])
  t.match(client.transcript[0]?.body, { group: sent }, 'the transcript has it as sent')
})

t.test('one of two exclusive fields is cleared with null', async (t) => {
  const sandbox = await startClient(t)
  const { id } = await sandbox.create('/aws/ec2/group', group())
  const instanceTypes = { ondemand: null, onDemandTypes: ['m5.large'] }
  const { items } = await sandbox.call('PUT', `/aws/ec2/group/${id}`, { group: { compute: { instanceTypes } } })
  t.match(items, [{ compute: { instanceTypes } }])
})

t.test('userData that is not base64 gets 200 and is not stored', async (t) => {
  const sandbox = await startClient(t)
  const script = Buffer.from('#!/bin/sh\necho hello\n').toString('base64')
  const compute = (userData: string | null) => ({ compute: { launchSpecification: { userData } } })
  const { id, ...item } = await sandbox.create('/aws/ec2/group', group(compute('#!/bin/sh')))
  t.strictSame(item.compute, { launchSpecification: {} })
  const path = `/aws/ec2/group/${id}`
  t.match((await sandbox.call('PUT', path, { group: compute(script) })).items, [compute(script)])
  sandbox.clock.advance(1000)
  const plain = await sandbox.call('PUT', path, { group: compute('echo hello') })
  t.equal(plain.status, 200)
  t.match(plain.items, [{ ...compute(script), updatedAt: '2026-03-10T12:00:01.000Z' }])
  t.match((await sandbox.call('PUT', path, { group: compute(null) })).items, [compute(null)])
})

t.test('an unknown id is a 400 that names it', async (t) => {
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

t.test('invalid bodies and queries are refused in the words of Joi', async (t) => {
  const client = await startClient(t)
  const path = await client.grow(group())
  const [instance] = ids(await client.get(`${path}/status`))
  const action = { actionType: 'DETACH', batchNum: 0, drainingTimeout: 'five' }
  await client.call('PUT', `${path}/roll`, ROLL)
  const rollId = (await client.get(`${path}/roll`))[0]?.id
  client.pass(1000)
  const state = '/aws/ec2/managedInstance/state'
  const cases: [string, string, unknown, ...string[]][] = [
    ['PUT', `${path}/capacity`, undefined, '"capacity" is required'],
    ['PUT', `${path}/capacity`, [], '"value" must be an object'],
    ['PUT', `${path}/capacity`, { capacity: { target: null, minimum: 'one', unit: 'instance' }, x: 1 },
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
