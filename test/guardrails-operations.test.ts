import { deepStrictEqual } from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { document, operationsOf } from '../openapi/document.js'
import { operations } from '../services/guardrails/changes.js'
import { judge, withGuardrailTags, type Guardrails } from '../services/guardrails/index.js'
import { merge } from '../services/guardrails/merge.js'
import { account, ask, freeze, type Json, nounOf, places, put, RUNS } from './guardrails-oracle.js'
import { ACCOUNT, start } from './helper.js'

t.test('a PUT of the capacity is checked together with what Spot has, and only for the capacity', async () => {
  const value = fc.oneof(fc.nat(30), fc.constantFrom(null, undefined, '1e9', '7'))
  const capacity = fc.record({ minimum: value, target: value, maximum: value })
  await fc.assert(fc.asyncProperty(fc.integer({ min: 1, max: 25 }), capacity, capacity, async (most, present, sent) => {
    const body = JSON.parse(JSON.stringify(sent)) as Json
    const errors = await ask('updateElastigroupCapacity', { maxCapacity: most }, {
      present: { capacity: present, scheduling: { tasks: [{ scaleMaxCapacity: 1e9 }] } }, body
    })
    const expected = (['minimum', 'target', 'maximum'] as const).flatMap((name) => {
      const stands = !(name in body)
      const after = stands ? present[name] : body[name]
      const legal = after == null ? name !== 'maximum' : Number(after) <= most
      return legal ? [] : [stands ? `maxCapacity #/capacity/${name}` : `maxCapacity #/${name}`]
    })
    deepStrictEqual(places(errors).sort(), expected.sort())
  }), RUNS)
})

t.test('scaling up or down is checked by the target that results, within minimum and maximum', async () => {
  const capacity = fc.record({ minimum: fc.nat(5), target: fc.nat(20), maximum: fc.nat(30) })
  const up = fc.record({ most: fc.integer({ min: 1, max: 25 }), capacity, adjustment: fc.integer({ min: 1, max: 30 }) })
  await fc.assert(fc.asyncProperty(up, async ({ most, capacity, adjustment }) => {
    let target = capacity.target
    for (let step = 0; step < adjustment && target < capacity.maximum; step++) target++
    deepStrictEqual(
      places(await ask('scaleUpElastigroup', { maxCapacity: most }, { present: { capacity }, query: { adjustment } })),
      target > most ? ['maxCapacity adjustment'] : [])

    let left = capacity.target
    for (let step = 0; step < adjustment && left > capacity.minimum; step++) left--
    const compute = { launchSpecification: { tags: [{ tagKey: 'keep', tagValue: 'x' }] } }
    deepStrictEqual(
      places(await ask('scaleDownElastigroup', { protectedTags: ['keep'] }, {
        present: { capacity, compute }, query: { adjustment }
      })), left === 0 && capacity.target > 0 ? ['protectedTags adjustment'] : [])
  }), RUNS)
})

t.test('protectedTags: no operation deletes, pauses or scales to zero what has such a tag', async (t) => {
  const rules = { protectedTags: ['keep=*'] }
  const present = {
    capacity: { minimum: 0, target: 2, maximum: 4 },
    compute: { launchSpecification: { tags: [{ tagKey: 'keep', tagValue: 'x' }] } }
  }
  const single = put(present, 'capacity.target', 1)
  const roll = (onFailure: unknown) => ({ batchSizePercentage: 50, gracePeriod: 60, strategy: { onFailure } })
  type Row = [operation: string, present: Json, request: { body?: unknown, query?: Json }, place: string | undefined]
  const rows: Row[] = [
    ['deleteElastigroup', present, {}, 'elastigroup'],
    ['deleteInstance', present, { query: { shouldTerminateInstance: false } }, 'instance'],
    ['pauseInstance', present, {}, 'instance'],
    ['resumeInstance', present, {}, undefined],
    ['recycleInstance', present, {}, undefined],
    ['deleteInstanceVolume', present, {}, 'instance'],
    ['deallocateStatefulInstance', present, {}, 'elastigroup'],
    ['pauseStatefulInstance', present, {}, undefined],
    ['pauseStatefulInstance', single, {}, 'statefulInstance'],
    ['updateElastigroupCapacity', present, { body: { minimum: 0, target: 0 } }, '#/target'],
    ['updateElastigroupCapacity', present, { body: { minimum: 0 } }, undefined],
    ['scaleDownElastigroup', single, {}, 'adjustment'],
    ['scaleDownElastigroup', put(single, 'capacity.target', 'odd'), {}, 'adjustment'],
    ['scaleUpElastigroup', single, { query: { adjustment: 5 } }, undefined],
    ['detachInstances', present, { body: { instancesToDetach: ['i-1', 'i-2'] } }, undefined],
    ['detachInstances', present,
      { body: { instancesToDetach: ['i-1', 'i-1'], shouldDecrementTargetCapacity: true } }, undefined],
    ['detachInstances', present,
      { body: { instancesToDetach: ['i-1', 'i-2'], shouldDecrementTargetCapacity: true } },
      '#/shouldDecrementTargetCapacity'],
    ['createRoll', present, { body: roll(null) }, undefined],
    ['createRoll', present, { body: roll({ actionType: 'DETACH_OLD' }) },
      '#/strategy/onFailure/shouldDecrementTargetCapacity'],
    ['createRoll', present,
      { body: roll({ actionType: 'DETACH_OLD', shouldDecrementTargetCapacity: false }) }, undefined],
    ['createRollAction', present, { body: { actionType: 'DETACH_NEW' } }, '#/shouldDecrementTargetCapacity'],
    ['createRollAction', present,
      { body: { actionType: 'DETACH_NEW', shouldDecrementTargetCapacity: false } }, undefined]
  ]
  for (const [operation, present, request, place] of rows) {
    const noun = nounOf(operation)
    const found = await ask(operation, rules, { noun, present, ...request })
    const expected = place === undefined ? [] : [`protectedTags ${place}`]
    t.strictSame(places(found), expected, `${operation} ${JSON.stringify(request)}`)
    const free = put(present, 'compute.launchSpecification.tags', [{ tagKey: 'kept', tagValue: 'x' }])
    t.strictSame(await ask(operation, rules, { noun, present: free, ...request }), [], `${operation} without the tag`)
    const unread = put(present, 'compute.launchSpecification.tags', 'odd')
    t.equal((await ask(operation, rules, { noun, present: unread, ...request })).length, place === undefined ? 0 : 1)
  }
  t.match(await ask('deleteElastigroup', rules, { present }), [
    {
      parameter: 'elastigroup',
      code: 'protectedTags',
      message: 'cannot be deleted, because the group has the protected tag keep=*'
    }
  ])
})

t.test('many state changes at once are checked one by one, with one call to Spot', async (t) => {
  const tags = (tagKey: string) => ({ compute: { launchSpecification: { tags: [{ tagKey, tagValue: 'x' }] } } })
  const spot = account(
    { id: 'smi-1', ...tags('keep') }, { id: 'smi-2', ...tags('other') }, { id: 'smi-3', ...tags('keep') }
  )
  const attempt = (...body: Json[]) =>
    ({ operationId: 'updateInstanceStates', params: {}, query: {}, body, rules: [{ protectedTags: ['keep'] }] })
  const pause = (id: string, state = 'PAUSE') => ({ id, state })
  const many = attempt(pause('smi-1'), pause('smi-2'), pause('smi-3', 'RESUME'), pause('smi-3', 'TERMINATE'))
  t.strictSame(places(await judge({ ...many, spot })), ['protectedTags #/0', 'protectedTags #/3'])
  t.strictSame(spot.calls, ['managedInstance list'])
  t.strictSame(await judge({ ...attempt(pause('smi-1', 'RESUME')), spot }), [])
  t.equal(spot.calls.length, 1)
  await t.rejects(judge({ ...attempt(pause('smi-2'), pause('smi-9')), spot }), /no smi-9/, 'what is unknown is refused')
  t.strictSame(places(await judge({ ...many, rules: [{ maxCapacity: 0 }], spot })), ['maxCapacity #/2'])
})

t.test('maxCapacity: a managed instance counts 1', async (t) => {
  const ask0 = (operation: string, most: number) =>
    ask(operation, { maxCapacity: most }, { noun: 'managedInstance', body: {} }).then(places)
  for (const operation of ['createInstance', 'createImport']) {
    t.strictSame(await ask0(operation, 1), [])
    t.strictSame(await ask0(operation, 0), ['maxCapacity #'])
  }
  t.strictSame(await ask0('resumeInstance', 0), ['maxCapacity instance'])
  t.strictSame(await ask0('updateInstance', 0), [])
})

t.test('an import is checked by its body, and refused where the body cannot show what a rule needs', async (t) => {
  const body = {
    originalInstanceId: 'i-1',
    region: 'us-east-1',
    product: 'Linux/UNIX',
    spotInstanceTypes: ['t3.micro'],
    availabilityZones: [{ name: 'us-east-1a' }]
  }
  const rules = { regions: ['us-east-1'], products: ['Linux/UNIX'], instanceTypes: ['t3.*'] }
  const asked = (rules: Guardrails, body: Json) => ask('createImport', rules, { body })
  t.strictSame(await asked(rules, body), [])
  for (const [path, value, pointer] of [
    ['region', 'eu-west-1', '#/region'], ['product', 'Windows', '#/product'], ['product', undefined, '#/product'],
    ['spotInstanceTypes.0', 'p4d.24xlarge', '#/spotInstanceTypes/0'],
    ['spotInstanceTypes', undefined, '#/spotInstanceTypes'],
    ['availabilityZones.0.name', 'eu-west-1a', '#/availabilityZones/0/name']
  ] as const) t.match(await asked(rules, put(body, path, value)), [{ pointer }], path)
  t.match(await asked({ requiredTags: ['owner'], spotOnly: true }, body), [
    { pointer: '#', code: 'requiredTags', message: /launchSpecification\.tags must have owner \(an import cannot/ },
    { pointer: '#', code: 'spotOnly', message: /^strategy\.fallbackToOd must be false/ }
  ])
})

t.test('the guardrails of account and client all apply, and the tags that they add', async (t) => {
  const rules: Guardrails[] = [
    { maxCapacity: 10, requiredTags: ['owner'], tags: { owner: 'account', cost: '1' } },
    { maxCapacity: 5, tags: { owner: 'client', env: 'dev' } }
  ]
  const body = { capacity: { maximum: 7 } }
  t.match(await ask('createElastigroup', rules, { body }), [{ message: 'is 7, and at most 5 is allowed' }])
  const { tags } = withGuardrailTags<any>(body, rules).compute.launchSpecification
  t.strictSame(Object.fromEntries(tags.map((tag: Json) => [tag.tagKey, tag.tagValue])), {
    owner: 'account', cost: '1', env: 'dev'
  })
  const compute = (...tags: Json[]) => ({ product: 'x', launchSpecification: { imageId: 'ami-1', tags } })
  const own = { compute: compute({ tagKey: 'owner', tagValue: null }) }
  t.strictSame(withGuardrailTags(freeze(own), [{ tags: { owner: 'account' } }]), own)
  t.strictSame(withGuardrailTags(freeze(own), [{ tags: { a: 'b' } }]), {
    compute: compute({ tagKey: 'owner', tagValue: null }, { tagKey: 'a', tagValue: 'b' })
  })
})

t.test('every write is checked by guardrails, except those that cannot breach a rule', async (t) => {
  const writes = operationsOf(document).filter(({ method }) => method !== 'get')
    .map(({ operation }) => operation.operationId)
  t.strictSame(writes.filter((operation) => !operations[operation]).sort(), [
    'createSuspensions', 'deleteSuspensions', 'enterElastigroupInstanceStandby', 'exitElastigroupInstanceStandby',
    'lockElastigroupInstance', 'recycleInstance', 'recycleStatefulInstance', 'stopRoll', 'unlockElastigroupInstance'
  ])
})

t.test('guardrails predict what Spot has after a write', async (t) => {
  const { request, sandbox, app } = await start(t)
  const spot = () => app.spot.account(ACCOUNT, { kind: 'write', fresh: true })
  const groups = `/v1/spot/${ACCOUNT}/elastigroups`
  const create = {
    name: 'g',
    region: 'us-east-1',
    strategy: {},
    capacity: { minimum: 0, target: 3, maximum: 9, unit: 'instance' },
    compute: {}
  }
  const { json: { id } } = await request('POST', groups, { body: create })
  const group = `${groups}/${id}`
  const show = async () => (await request('GET', group)).json as Json
  const undated = ({ updatedAt, ...rest }: Json) => rest
  const predict = async (operationId: string, { body, query = {} }: { body?: unknown, query?: object }) => {
    const params = { account: ACCOUNT, elastigroup: id }
    const attempt = { operationId, params, query, body, rules: [] }
    return operations[operationId]?.changes(attempt, new Map([[id as string, await show()]]))[0]?.after as Json
  }

  const value = fc.constantFrom<unknown>(
    null, '', 'text', 0, false, [], [null], [{ a: null }], {}, { deep: null }, { deep: [1] }
  )
  const deep = fc.oneof(value, fc.dictionary(fc.constantFrom('xOne', 'deep', 'xTwo'), value, { noNullPrototype: true }))
  const changes = fc.record({
    xOne: deep,
    xTwo: deep,
    multai: deep,
    compute: fc.option(fc.record({ xOne: deep, xTwo: deep }, { requiredKeys: [] })),
    capacity: fc.record({ target: fc.integer({ min: 1, max: 9 }), xOne: deep }, { requiredKeys: [] })
  }, { requiredKeys: [] })
  await fc.assert(fc.asyncProperty(changes.map((body) => JSON.parse(JSON.stringify(body)) as Json), async (body) => {
    const [before, predicted] = [await show(), await predict('updateElastigroup', { body })]
    const { status, json } = await request('PUT', group, { body })
    if (status === 400) return // a value of a known property that the contract does not take
    deepStrictEqual(status, 200)
    deepStrictEqual(undated(json), undated(predicted))
    deepStrictEqual(undated(merge(before, body)), undated(predicted))
  }), { numRuns: process.env.CHAOS === 'full' ? 300 : 15 })

  sandbox.clock.advance(600_000)
  const instance = (await request('GET', `${group}/status`)).json[0].instanceId
  const detachment = { instancesToDetach: [instance], shouldDecrementTargetCapacity: true }
  for (const [operation, method, path, body, query] of [
    ['updateElastigroupCapacity', 'PUT', '/capacity', { target: 4, minimum: 2 }],
    ['updateElastigroupCapacity', 'PUT', '/capacity', { minimum: 1 }],
    ['detachInstances', 'POST', '/detach', detachment],
    ['scaleUpElastigroup', 'POST', '/scale/up', undefined, { adjustment: 3 }],
    ['scaleUpElastigroup', 'POST', '/scale/up', undefined, { adjustment: 50 }],
    ['scaleDownElastigroup', 'POST', '/scale/down', undefined],
    ['scaleDownElastigroup', 'POST', '/scale/down', undefined, { adjustment: 50 }]
  ] as [string, string, string, unknown, { adjustment: number }?][]) {
    const predicted = await predict(operation, { body, query })
    const asked = query ? `?adjustment=${query.adjustment}` : ''
    const reply = await request(method, `${group}${path}${asked}`, { body })
    t.ok(reply.status < 300, `${operation}: ${reply.text}`)
    t.strictSame((await show()).capacity, predicted.capacity, `${operation} ${asked}`)
  }

  const asking = { operationId: 'deleteElastigroup', params: { elastigroup: id }, query: {}, body: undefined }
  t.strictSame(await judge({ ...asking, rules: [{ protectedTags: ['keep'] }], spot: spot() }), [])
  const tagged = { compute: { launchSpecification: { tags: [{ tagKey: 'keep', tagValue: 'x' }] } } }
  t.equal((await request('PUT', group, { body: tagged })).status, 200)
  t.strictSame(places(await judge({ ...asking, rules: [{ protectedTags: ['keep'] }], spot: spot() })), [
    'protectedTags elastigroup'
  ])
  const unknown = { ...asking, params: { elastigroup: 'sig-ffffffff' }, rules: [{ protectedTags: ['keep'] }] }
  const error = await judge({ ...unknown, spot: spot() }).catch((error) => error)
  t.match(error, { name: 'SpotError', outcome: 'not-found' })
})
