import { deepStrictEqual } from 'node:assert/strict'
import { Ajv } from 'ajv'
import fc from 'fast-check'
import t from 'tap'
import { operations } from '../services/guardrails/changes.js'
import { guardrailsSchema, judge, type Guardrails } from '../services/guardrails/index.js'
import {
  account, ask, bad, check, fine, forms, ID, noise, nounOf, nouns, OPERATION, put, RUNS, some, type Json, type Mutation,
  type Noun
} from './guardrails-oracle.js'

t.test('maxCapacity: one more than allowed is refused wherever a body says how much a group runs', async () => {
  const bounds = ['minTargetCapacity', 'maxTargetCapacity']
  const actions = ['target', 'minimum', 'maximum', ...bounds].map((name) => `action.${name}`)
  const policy = [...bounds, ...actions, ...actions.map((name) => `stepAdjustments.1.${name}`)]
  const spots = [
    'capacity.minimum', 'capacity.target', 'capacity.maximum',
    ...['scaleTargetCapacity', 'scaleMinCapacity', 'scaleMaxCapacity', 'targetCapacity', 'minCapacity', 'maxCapacity',
      'MinCapacity', 'MaxCapacity'].map((name) => `scheduling.tasks.1.${name}`),
    ...['up', 'down', 'target'].flatMap((kind) => policy.map((name) => `scaling.${kind}.1.${name}`))
  ]
  const edge = (most: number, path: string) => [
    ...bad(path, most + 1, most + 0.5, most * 10 + 1, 1e300, String(most + 1)),
    ...bad(path, '1e9', '', 'MAX(value, 1)', true, [1], {}),
    ...fine(path, most, most - 1, 0, -1, String(most))
  ]
  const odd: Mutation[] = [
    ...bad('scheduling', 'text', 7), ...bad('scheduling.tasks', {}, true), ...bad('scaling.up', 'up'),
    ...bad('scaling.down.0', 5), ...bad('scaling.target.0.action', 'all'),
    { path: 'capacity', value: null, breaches: true, at: 'capacity.maximum' }, ...bad('capacity', 5),
    ...bad('capacity.maximum', undefined),
    ...fine('scheduling', null, {}), ...fine('scheduling.tasks', null, [], [null]), ...fine('scaling.up', null),
    ...fine('scaling.up.0.adjustment', 1e9), ...fine('scaling.target.0.target', 1e9, 'odd'),
    ...fine('scheduling.tasks.0.adjustment', 1e9), ...fine('scaling.up.0.threshold', 1e9),
    ...fine('capacity.unit', 'weight', null), ...fine('capacity.target', null), ...fine('xThing.maximum', 1e9)
  ]
  await fc.assert(fc.asyncProperty(
    forms, noise, fc.integer({ min: 1, max: 1e6 }).chain((most) => fc.record({
      most: fc.constant(most),
      capacity: fc.record({
        minimum: fc.nat(most), target: fc.nat(most), maximum: fc.oneof(fc.constant(most), fc.nat(most))
      }),
      tasks: fc.array(fc.record({ scaleMaxCapacity: fc.nat(most), adjustment: fc.nat() }), {
        minLength: 1, maxLength: 3
      }),
      mutation: fc.oneof(
        { weight: 4, arbitrary: some(spots).chain((path) => some(edge(most, path))) },
        { weight: 1, arbitrary: some(odd) }
      )
    })),
    async (form, extra, { most, capacity, tasks, mutation }) => {
      const policies = () => [{ minTargetCapacity: most }, { action: { target: '1' } }]
      const legal = {
        ...extra,
        capacity,
        scheduling: { tasks: [...tasks, {}] },
        scaling: { up: policies(), down: policies(), target: policies() }
      }
      const sent = mutation.path === 'capacity' && mutation.value === null && form !== 'standing'
      const at = sent ? 'capacity' : mutation.at
      await check('maxCapacity', { maxCapacity: most }, 'elastigroup', form, legal, { ...mutation, ...at && { at } })
    }
  ), RUNS)
})

t.test('regions: a zone counts as the region that its name begins with', async () => {
  const allowed = ['us-east-1', 'us-west-2', 'us-gov-west-1']
  const mutations = [
    ...bad('region', 'us-east-2', 'us-east-11', 'us-east', 'US-EAST-1', '', 'us-east-1 ', 5, ['us-east-1'], {}),
    ...fine('region', 'us-east-1', 'us-gov-west-1', null, undefined),
    ...['compute.availabilityZones.1.name', 'compute.preferredAvailabilityZones.0'].flatMap((path) => [
      ...bad(path, 'us-east-2a', 'us-east-11a', 'eu-west-1a', 'us-east-1', 'use1-az1', '', 1, {}),
      ...fine(path, 'us-west-2b', 'us-west-2-lax-1a', 'us-gov-west-1a', 'us-east-1-wl1-bos-wlz-1', null, undefined)
    ]),
    ...bad('compute.availabilityZones', 'us-east-1a', {}), ...bad('compute.availabilityZones.0', 'us-east-1a'),
    ...bad('compute', 'us-east-1'),
    ...fine('compute.availabilityZones', null, [null], [{ subnetIds: ['subnet-1'] }])
  ]
  const zones = fc.array(some(['us-east-1a', 'us-east-1-bos-1a', 'us-west-2c']), { minLength: 2, maxLength: 4 })
  await fc.assert(fc.asyncProperty(forms, noise, zones, some(mutations), async (form, extra, zones, mutation) => {
    const compute = {
      availabilityZones: zones.map((name) => ({ name })), preferredAvailabilityZones: zones.slice(0, 1)
    }
    const legal = { ...extra, region: 'us-east-1', compute }
    const noun = mutation.path === 'region' ? 'managedInstance' : 'elastigroup'
    await check('regions', { regions: allowed }, noun, form, legal, mutation)
  }), RUNS)
})

t.test('regions: a group that names neither region nor zones is in the region of the account', async (t) => {
  const rules = { regions: ['us-east-1'] }
  const body = { compute: { subnetIds: ['subnet-1'] } }
  t.strictSame(await ask('createElastigroup', rules, { body, accountRegion: 'us-east-1' }), [])
  t.match(await ask('createElastigroup', rules, { body, accountRegion: 'eu-west-1' }), [
    { pointer: '#/region', code: 'regions', message: /account's region applies \(eu-west-1\), and only us-east-1/ }
  ])
  t.match(await ask('createElastigroup', rules, { body }), [{ pointer: '#/region', message: /must be set/ }])
})

t.test('instanceTypes: each type must match a glob, wherever a body names types', async () => {
  const rules = { instanceTypes: ['t3.*', 'm?.large', 'c5*'] }
  const right = ['t3.micro', 't3.', 'm5.large', 'mx.large', 'c5', 'c5n.18xlarge']
  const wrong = [
    't3', 't3a.micro', 'xt3.micro', 'm.large', 'm55.large', 'm5.xlarge', 'M5.large', 'p4d.24xlarge', '', ' t3.nano'
  ]
  const parts = {
    elastigroup: {
      above: 'compute.instanceTypes',
      list: 'spot',
      names: ['ondemand', 'onDemandTypes.1', 'spot.1', 'preferredSpot.0', 'weights.0.instanceType']
    },
    managedInstance: {
      above: 'compute.launchSpecification.instanceTypes',
      list: 'types',
      names: ['types.1', 'preferredType', 'preferredTypes.0']
    }
  }
  const cases = (Object.keys(parts) as Noun[]).flatMap((noun) => {
    const { above, names, list } = parts[noun]
    const mutations = [
      ...names.flatMap((name) => [
        ...bad(`${above}.${name}`, ...wrong, 5, true, {}), ...fine(`${above}.${name}`, ...right, null)
      ]),
      ...bad(`${above}.resourceRequirements`, {}, { requiredVCpu: { minimum: 1 } }, 'any'),
      ...fine(`${above}.resourceRequirements`, null), ...fine(`${above}.xOther`, 'p4d.24xlarge'),
      ...bad(above, {}, 'm5.large', undefined), ...bad(`${above}.${list}`, 't3.*')
    ]
    return mutations.map((mutation) => ({ noun, mutation }))
  })
  const types = fc.array(some(right), { minLength: 1, maxLength: 4 })
  await fc.assert(fc.asyncProperty(forms, noise, types, some(cases), async (form, extra, types, { noun, mutation }) => {
    const instanceTypes = noun === 'elastigroup'
      ? { ondemand: types[0], spot: types, weights: [{ instanceType: types[0], weightedCapacity: 2 }] }
      : { types }
    const compute = noun === 'elastigroup' ? { instanceTypes } : { launchSpecification: { instanceTypes } }
    // An empty object in an update takes nothing away.
    const { path, value } = mutation
    const keeps = form === 'update' && path.endsWith('instanceTypes') && JSON.stringify(value) === '{}'
    const breaches = mutation.breaches && !keeps
    await check('instanceTypes', rules, noun, form, { ...extra, compute }, { ...mutation, breaches })
  }), RUNS)
})

t.test('products: only allowed ones, with or without the network (Amazon VPC) in the name', async () => {
  const rules = { products: ['Linux/UNIX', 'SUSE Linux (Amazon VPC)'] }
  const mutations = [
    ...fine('compute.product', 'Linux/UNIX', 'Linux/UNIX (Amazon VPC)', 'SUSE Linux', 'SUSE Linux (Amazon VPC)'),
    ...bad('compute.product', 'Windows', 'Windows (Amazon VPC)', 'linux/unix', 'Linux/UNIX ', 'Linux'),
    ...bad('compute.product', '', 0, [], undefined),
    ...fine('compute.xProduct', 'Windows'), ...fine('xProduct', 'Windows'), ...bad('compute', 'Linux/UNIX')
  ]
  await fc.assert(fc.asyncProperty(
    forms, noise, nouns, some(mutations), async (form, extra, noun, mutation) => {
      await check('products', rules, noun, form, { ...extra, compute: { product: 'Linux/UNIX' } }, mutation)
    }
  ), RUNS)
})

t.test('spotOnly: nothing may run on demand, not even by default', async () => {
  const group = [
    ...bad('strategy.risk', 99, 99.9, 0, 101, '100', true, null, undefined), ...fine('strategy.risk', 100),
    ...bad('strategy.onDemandCount', 1, 0.5, '0', true), ...fine('strategy.onDemandCount', 0, null, undefined),
    ...bad('strategy.considerODPricing', true, 'false', 1), ...fine('strategy.considerODPricing', false, null),
    ...bad('strategy.immediateODRecoverThreshold', 0, 1, ''), ...fine('strategy.immediateODRecoverThreshold', null)
  ]
  const instance = [
    ...bad('strategy.lifeCycle', 'on_demand', 'SPOT', '', 1), ...fine('strategy.lifeCycle', 'spot', null, undefined)
  ]
  const both = [
    ...bad('strategy.fallbackToOd', true, 'false', 0, undefined), ...fine('strategy.fallbackToOd', false),
    ...bad('strategy', 'spot'), ...fine('strategy.revertToSpot', { performAt: 'never' }, null),
    ...fine('strategy.utilizeReservedInstances', true), ...fine('strategy.utilizeCommitments', true)
  ]
  const cases = [
    ...[...group, ...both].map((mutation) => ({ noun: 'elastigroup' as const, mutation })),
    ...[...instance, ...both].map((mutation) => ({ noun: 'managedInstance' as const, mutation }))
  ]
  await fc.assert(fc.asyncProperty(forms, noise, some(cases), async (form, extra, { noun, mutation }) => {
    const compute = { instanceTypes: { ondemand: 'm5.large' } }
    const legal = { ...extra, compute, strategy: { risk: 100, fallbackToOd: false } }
    await check('spotOnly', { spotOnly: true }, noun, form, legal, mutation)
    deepStrictEqual(await ask(OPERATION[noun].create, { spotOnly: false }, { noun, body: {} }), [])
  }), RUNS)
})

t.test('requiredTags: every resource has them, whatever else it has', async () => {
  const above = 'compute.launchSpecification.tags'
  const at = above
  const tag = (tagKey: unknown, tagValue?: unknown) => ({ tagKey, tagValue })
  const rules = { requiredTags: ['owner=?*', 'env=prod-*', 'cost'] }
  const mutations: Mutation[] = [
    ...bad(`${above}.0`, tag('owner', ''), tag('owner', null), tag('owner', 5), tag('Owner', 'me'), tag('x', 'me')),
    ...bad(`${above}.0`, null, 'owner'),
    ...bad(`${above}.1`, tag('env', 'prod'), tag('env', 'dev-1'), tag('env'), tag('env ', 'prod-1'), {}, []),
    ...bad(`${above}.2`, tag('costs', '1'), tag(null, 'cost'), tag('cost', ['1'])),
    ...bad(above, undefined, [], 'owner=me', {}), ...bad('compute.launchSpecification', undefined, 'x'),
    ...bad(`${above}.3`, tag('env', 'dev')), // a key that stands twice: nobody knows which counts
    ...fine(`${above}.0`, tag('owner', 'x'), tag('owner', '?')), ...fine(`${above}.1`, tag('env', 'prod-')),
    ...fine(`${above}.2`, tag('cost', ''), tag('cost', null), tag('cost'), tag('cost', 'a=b')),
    ...fine(`${above}.3`, tag('any', 'thing'), null, 'odd', tag(5, 5), tag('env', 'prod-2'))
  ].map((mutation) => ({ ...mutation, at }))
  await fc.assert(fc.asyncProperty(
    forms, noise, nouns, some(mutations), async (form, extra, noun, mutation) => {
      const tags = [tag('owner', 'me'), tag('env', 'prod-1'), tag('cost', '7')]
      const legal = { ...extra, compute: { launchSpecification: { tags } } }
      const inside = mutation.path.endsWith('launchSpecification') &&
        (form === 'update' || (form === 'create' && mutation.value === 'x'))
      const at = inside ? 'compute.launchSpecification' : mutation.at
      await check('requiredTags', rules, noun, form, legal, { ...mutation, at })
    }
  ), RUNS)
})

t.test('protectedTags: no update removes the tag, sets the target to zero or schedules that', async () => {
  const tags = [{ tagKey: 'env', tagValue: 'prod-1' }, { tagKey: 'team', tagValue: 'a' }]
  const above = 'compute.launchSpecification.tags'
  const rules = { protectedTags: ['env=prod*', 'keep'] }
  const retagged = (value: unknown, breaches: boolean): Mutation => ({ path: above, value, breaches })
  const common = [
    ...[[], null, [tags[1]], [{ tagKey: 'env', tagValue: 'dev' }], [{ tagKey: 'ENV', tagValue: 'prod' }], 'env=prod']
      .map((value) => retagged(value, true)),
    retagged([tags[0]], false), retagged([{ tagKey: 'env', tagValue: 'prod-2' }], false),
    { path: 'compute', value: null, breaches: true }, ...fine('name', 'other'), ...fine('compute.product', 'x')
  ]
  const group = [
    ...common, ...bad('capacity.target', 0, null, -1, 'none'), { path: 'capacity', value: null, breaches: true },
    ...fine('capacity.target', 1, 2, 100), ...fine('capacity.minimum', 0, null), ...fine('capacity.maximum', 9),
    ...['scaleTargetCapacity', 'targetCapacity', 'scaleMaxCapacity', 'MaxCapacity', 'maxCapacity'].flatMap((name) => [
      ...bad(`scheduling.tasks.0.${name}`, 0, 'x', -1), ...fine(`scheduling.tasks.0.${name}`, 1, null)
    ]),
    ...fine('scheduling.tasks.0.scaleMinCapacity', 0), ...fine('scheduling.tasks', null, [])
  ]
  const instance = [
    ...common, ...bad('scheduling.tasks.0.taskType', 'pause', 'PAUSE'),
    ...fine('scheduling.tasks.0.taskType', 'resume', 'recycle', null)
  ]
  const cases = [
    ...group.map((mutation) => ({ noun: 'elastigroup' as const, mutation })),
    ...instance.map((mutation) => ({ noun: 'managedInstance' as const, mutation }))
  ]
  const present = { capacity: { minimum: 0, target: 2, maximum: 5 }, compute: { launchSpecification: { tags } } }
  await fc.assert(fc.asyncProperty(noise, some(cases), fc.boolean(), async (extra, { noun, mutation }, carries) => {
    const bare = put(present, above, [tags[1]])
    const legal = { ...extra, ...carries ? present : bare }
    await check('protectedTags', rules, noun, 'update', legal, { ...mutation, breaches: mutation.breaches && carries })
    // Nothing is protected yet when it is made, and what was at zero is not scaled to it.
    await check('protectedTags', rules, noun, 'create', legal, { ...mutation, breaches: false })
  }), RUNS)
})

t.test('protectedTags: a group whose target is unknown may be renamed', async (t) => {
  const present = { compute: { launchSpecification: { tags: [{ tagKey: 'keep', tagValue: '' }] } } }
  t.strictSame(await ask('updateElastigroup', { protectedTags: ['keep'] }, { present, body: { name: 'x' } }), [])
})

t.test('protectedTags: a group already at zero, or with such a schedule, may be sent back unchanged', async (t) => {
  const launchSpecification = { tags: [{ tagKey: 'keep', tagValue: '' }] }
  const present = {
    capacity: { target: 0 }, scheduling: { tasks: [{ scaleTargetCapacity: 0 }] }, compute: { launchSpecification }
  }
  const rules = { protectedTags: ['keep'] }
  t.strictSame(await ask('updateElastigroup', rules, { present, body: present }), [])
  const body = { scheduling: { tasks: [{ targetCapacity: 0 }] } }
  t.match(await ask('updateElastigroup', rules, { present, body }), [
    { pointer: '#/scheduling/tasks/0/targetCapacity', code: 'protectedTags', message: /has the protected tag keep/ }
  ])
})

t.test('no body makes the guardrails throw, and without a rule nothing is read from Spot', async () => {
  const rules: Guardrails = {
    maxCapacity: 1,
    regions: ['us-east-1'],
    instanceTypes: ['*'],
    products: ['x'],
    requiredTags: ['a'],
    protectedTags: ['b'],
    spotOnly: true,
    schema: { elastigroup: { required: ['x'] }, managedInstance: { items: { type: 'string' } } },
    tags: { c: 'd' }
  }
  const key = fc.constantFrom(
    'capacity', 'maximum', 'target', 'compute', 'launchSpecification', 'tags', 'tagKey', 'strategy', 'instanceTypes',
    'spot', 'scheduling', 'tasks', 'scaling', 'up', 'action', '__proto__', 'length'
  )
  const { body } = fc.letrec((tie) => ({
    body: fc.oneof({ maxDepth: 5 },
      fc.constantFrom(null, 0, 'x', true), fc.array(tie('body'), { maxLength: 3 }),
      fc.dictionary(key, tie('body'), { maxKeys: 5, noNullPrototype: true })
    )
  }))
  await fc.assert(fc.asyncProperty(some(Object.keys(operations)), body, body, async (operationId, body, present) => {
    const noun = nounOf(operationId)
    const states = [{ id: ID.managedInstance, state: body }]
    const sent = operationId === 'updateInstanceStates' ? states : body
    const stands = { x: present, ...present as Json }
    await ask(operationId, rules, { noun, present: stands, body: sent, query: { adjustment: body } })
    const spot = account()
    deepStrictEqual(await judge({ operationId, params: {}, query: {}, body, rules: [{}, { tags: {} }], spot }), [])
    deepStrictEqual(spot.calls, [])
  }), RUNS)
})

t.test('the settings accept every guardrail, and nothing else', async (t) => {
  const validate = new Ajv({ strict: true }).compile(guardrailsSchema)
  t.ok(validate({
    maxCapacity: 100,
    regions: ['us-east-1', 'us-gov-west-1'],
    instanceTypes: ['t3.*', 'm?.large', 'u-6tb1.metal'],
    products: ['Linux/UNIX'],
    requiredTags: ['owner', 'env=prod-*', 'empty='],
    protectedTags: ['keep'],
    spotOnly: true,
    schema: { elastigroup: { properties: { name: { maxLength: 5 } } } },
    tags: { 'spinup:org': 'x', empty: '' }
  }), JSON.stringify(validate.errors))
  for (const wrong of [
    { maxcapacity: 1 }, { maxCapacity: -1 }, { maxCapacity: 1.5 }, { maxCapacity: '1' }, { regions: [] },
    { regions: ['us-*'] }, { instanceTypes: 't3.*' }, { requiredTags: ['=x'] }, { requiredTags: [''] },
    { protectedTags: ['a', 'a'] }, { spotOnly: 'yes' }, { tags: { 'aws:x': '' } }, { tags: { a: 1 } }
  ]) t.notOk(validate(wrong), JSON.stringify(wrong))
})
