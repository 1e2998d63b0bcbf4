import { deepStrictEqual } from 'node:assert/strict'
import { Ajv } from 'ajv'
import fc from 'fast-check'
import t from 'tap'
import { document, operationsOf } from '../openapi/document.js'
import type { ProblemError } from '../services/problems/index.js'
import { operations } from '../services/guardrails/changes.js'
import { matches } from '../services/resources/glob.js'
import {
  guardrailsSchema, judge, needsPresent, withGuardrailTags, type Guardrails, type Reader
} from '../services/guardrails/index.js'
import { merge } from '../services/guardrails/merge.js'
import { ACCOUNT, start } from './helper.js'

/*
 * The oracle knows nothing of how bodies are judged: it takes a body that is legal by construction, and changes one
 * thing that is known to be harmless, or known to be a breach at a place that it names.
 */

type Json = Record<string, unknown>
type Noun = 'elastigroup' | 'managedInstance'

/** A value put at a place, where it breaches; `at` is where that is told, if elsewhere. */
interface Mutation { path: string, value: unknown, breaches: boolean, at?: string }

const RUNS = { numRuns: process.env.CHAOS === 'full' ? 5000 : 120 }
const ID = { elastigroup: 'sig-00000001', managedInstance: 'smi-00000001' }
const OPERATION = {
  elastigroup: { create: 'createElastigroup', update: 'updateElastigroup' },
  managedInstance: { create: 'createInstance', update: 'updateInstance' }
}

/** What an operation is about, by its name. */
const nounOf = (operation: string): Noun =>
  /group|Roll|detach|Stateful/.test(operation) ? 'elastigroup' : 'managedInstance'

/** A copy with a value at a dotted path; undefined takes away what is there. Numbers are places in arrays. */
function put (whole: unknown, path: string, value: unknown): Json {
  const copy = structuredClone(whole) as Json
  const steps = path.split('.')
  const last = steps.pop() as string
  let here: any = copy
  for (const [i, step] of steps.entries()) here = here[step] ??= /^\d+$/.test(steps[i + 1] ?? last) ? [] : {}
  if (value === undefined) delete here[last]
  else here[last] = value
  return copy
}

/** No more of a body than what has the path, as an update sends it: arrays whole. */
function part (whole: any, path: string): Json {
  const [step, ...rest] = path.split('.') as [string, ...string[]]
  const inside = whole?.[step]
  const deeper = rest.length > 0 && typeof inside === 'object' && inside !== null && !Array.isArray(inside)
  return { [step]: deeper ? part(inside, rest.join('.')) : inside ?? null }
}

function freeze<T> (value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(freeze)
  return value
}

/** An account that holds these, and counts what is asked of it. */
function account (...held: Json[]): Reader & { calls: string[] } {
  const calls: string[] = []
  const noun = (name: string) => ({
    async get (id: string) {
      calls.push(`${name} ${id}`)
      const found = held.find((resource) => resource.id === id)
      if (!found) throw new Error(`no ${id}`)
      return freeze(structuredClone(found))
    },
    async list () {
      calls.push(`${name} list`)
      return freeze(structuredClone(held))
    }
  })
  return { calls, elastigroups: noun('elastigroup'), managedInstances: noun('managedInstance') } as never
}

/** The rules' word on one request of a resource that stands as told. */
async function ask (
  operationId: string, rules: Guardrails | Guardrails[],
  { noun = 'elastigroup', present = {}, body, query = {}, accountRegion }: {
    noun?: Noun, present?: Json, body?: unknown, query?: Json, accountRegion?: string
  } = {}
): Promise<ProblemError[]> {
  const params = { account: ACCOUNT, elastigroup: ID.elastigroup, instance: ID.managedInstance }
  const spot = account({ ...present, id: ID[noun] })
  const sent = freeze(structuredClone(body))
  const attempt = { operationId, params, query, body: sent, accountRegion, rules: [rules].flat() }
  const errors = await judge({ ...attempt, spot })
  deepStrictEqual(spot.calls.length > 0, needsPresent(attempt), `${operationId} reads what stands when it says so`)
  return errors
}

/** Where it breaches, and which rule. */
const places = (errors: ProblemError[]) =>
  errors.map(({ pointer, parameter, code }) => `${code} ${pointer ?? parameter}`)

const forms = fc.constantFrom('create', 'update', 'standing')
const nouns = fc.constantFrom<Noun>('elastigroup', 'managedInstance')

/** Judges a legal body with one change in it: sent by a create, sent by an update, or as it stands below an update. */
async function check (
  rule: keyof Guardrails, rules: Guardrails, noun: Noun, form: string, legal: Json,
  { path, value, breaches, at = path }: Mutation, accountRegion?: string
) {
  const mutated = put(legal, path, value)
  const errors = form === 'create'
    ? await ask(OPERATION[noun].create, rules, { noun, body: mutated, accountRegion })
    : form === 'update'
      ? await ask(OPERATION[noun].update, rules, { noun, present: legal, body: part(mutated, path), accountRegion })
      : await ask(OPERATION[noun].update, rules, { noun, present: mutated, body: { name: 'renamed' }, accountRegion })
  const pointers = breaches ? [`#/${at.replaceAll('.', '/')}`] : []
  // An update that sends null for what is to be set has the null in its body, or above it.
  const found = places(errors).map((place) => place.split(' ')[1] as string)
  const told = (pointer: string, i: number) => pointer === found[i] ||
    (form === 'update' && value === undefined && pointer.startsWith(`${found[i]}/`))
  const what = `${form} ${path} = ${JSON.stringify(value)} under ${JSON.stringify(rules)}: ${JSON.stringify(errors)}`
  deepStrictEqual([found.length, pointers.every(told)], [pointers.length, true], what)
  for (const error of errors) {
    deepStrictEqual(error.code, rule, what)
    deepStrictEqual(error.message.includes('(it is so now)'), form === 'standing', what)
  }
}

const some = <T>(values: readonly T[]) => fc.constantFrom(...values)
const mutations = (breaches: boolean) => (path: string, ...values: unknown[]) =>
  values.map((value): Mutation => ({ path, value, breaches }))
const fine = mutations(false)
const bad = mutations(true)
const noise = fc.dictionary(fc.constantFrom('xOne', 'description', 'multai'), fc.jsonValue({ maxDepth: 2 }), {
  maxKeys: 2, noNullPrototype: true
})

t.test('maxCapacity: one more than allowed is refused wherever a group is told how much to run', async () => {
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

t.test('a glob matches like the regular expression that it stands for', async () => {
  const glob = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*', '?'), maxLength: 6 })
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*', '?'), maxLength: 8 })
  fc.assert(fc.property(glob, text, (glob, text) => {
    const want = (signs: Record<string, string>) =>
      new RegExp(`^${[...glob].map((one) => signs[one] ?? one).join('')}$`, 's').test(text)
    deepStrictEqual(matches(glob, text, '?'), want({ '*': '.*', '?': '.', '.': '\\.' }))
    deepStrictEqual(matches(glob, text), want({ '*': '.*', '?': '\\?', '.': '\\.' }), 'of names, ? is a character')
  }), RUNS)
})

t.test('matching a glob is fast for any text', async (t) => {
  let looks = 0
  const text = new Proxy(Object('a'.repeat(10_000)) as Json, {
    get (target, name) {
      if (name !== 'length') looks++
      return target[name as string]
    }
  }) as unknown as string
  for (const glob of ['*?a*?a*?a*?ab*', '*aaaaa?b*']) {
    looks = 0
    t.equal(matches(glob, text, '?'), false)
    t.ok(looks >= text.length && looks <= glob.length * text.length, `${looks} looks at its characters`)
  }
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

t.test('every write is checked by guardrails, except those that cannot breach a rule', async (t) => {
  const writes = operationsOf(document).filter(({ method }) => method !== 'get')
    .map(({ operation }) => operation.operationId)
  t.strictSame(writes.filter((operation) => !operations[operation]).sort(), [
    'createSuspensions', 'deleteSuspensions', 'enterElastigroupInstanceStandby', 'exitElastigroupInstanceStandby',
    'lockElastigroupInstance', 'recycleInstance', 'recycleStatefulInstance', 'stopRoll', 'unlockElastigroupInstance'
  ])
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
