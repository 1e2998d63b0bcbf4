import { connect } from 'node:net'
import fc from 'fast-check'
import t from 'tap'
import type { Test } from 'tap'
import { startSandbox, stoppedClock } from '../sandbox/index.js'
import type { Fault, Sandbox, SandboxOptions } from '../sandbox/index.js'
import { until } from './until.js'

const START = Date.parse('2026-03-10T12:00:00.000Z')
const HOUR = 3_600_000
const TWO_ACCOUNTS = [{ id: 'act-00000001', token: 'one' }, { id: 'act-00000002', token: 'two' }]

interface Item { [key: string]: unknown }
interface Answer {
  status: number
  headers: Headers
  text: string
  items: Item[]
  errors: { code: string, message: string, field?: string }[]
  response: Item
  request: Item
}

async function start (test: Test, options: SandboxOptions = {}): Promise<Sandbox> {
  const sandbox = await startSandbox({ clock: stoppedClock(START), seed: false, ...options })
  test.teardown(() => sandbox.close())
  return sandbox
}

/** Calls the first account of a sandbox as a well-behaved client. */
async function call (sandbox: Sandbox, method: string, path: string, body?: unknown, init: RequestInit = {}) {
  const url = new URL(sandbox.url + path)
  if (!url.searchParams.has('accountId')) url.searchParams.set('accountId', sandbox.accounts[0]?.id ?? '')
  const response = await fetch(url, {
    method,
    headers: { authorization: `Bearer ${sandbox.accounts[0]?.token}`, 'content-type': 'application/json' },
    redirect: 'manual',
    ...body === undefined ? {} : { body: JSON.stringify(body) },
    ...init
  })
  const text = await response.text()
  const json = text.startsWith('{"request"') ? JSON.parse(text) as { request: Item, response: Item } : undefined
  const answer: Answer = {
    status: response.status,
    headers: response.headers,
    text,
    request: json?.request ?? {},
    response: json?.response ?? {},
    items: (json?.response.items ?? []) as Item[],
    errors: (json?.response.errors ?? []) as Answer['errors']
  }
  return answer
}

const group = (more: object = {}) => ({
  group: {
    name: 'fleet',
    region: 'us-east-1',
    capacity: { target: 2, minimum: 0, maximum: 10, unit: 'instance' },
    compute: {
      product: 'Linux/UNIX',
      instanceTypes: { ondemand: 'm5.large', spot: ['m5.large'] },
      launchSpecification: { imageId: 'ami-1', userData: null, tags: [] }
    },
    ...more
  }
})

const managedInstance = (more: object = {}) => ({
  managedInstance: {
    name: 'node',
    region: 'us-east-1',
    compute: {
      subnetIds: ['subnet-1'],
      vpcId: 'vpc-1',
      product: 'Linux/UNIX',
      launchSpecification: { imageId: 'ami-1', instanceTypes: { preferredType: 't3.micro' } }
    },
    ...more
  }
})

async function created (sandbox: Sandbox, path: string, body: object): Promise<Item & { id: string }> {
  const { items: [item] } = await call(sandbox, 'POST', path, body)
  if (typeof item?.id !== 'string') throw new Error('nothing was created')
  return { ...item, id: item.id }
}

t.test('a read answers 200 with the vendor\'s envelope and nothing else', async (t) => {
  const sandbox = await start(t, { seed: true })
  const { status, headers, request, response, items } = await call(sandbox, 'GET', '/aws/ec2/group')
  t.equal(status, 200)
  t.match(headers.get('content-type'), /^application\/json/)
  t.strictSame(Object.keys(request), ['id', 'url', 'method', 'timestamp'])
  t.match(request, { url: '/aws/ec2/group', method: 'GET', timestamp: '2026-03-10T12:00:00.000Z' })
  t.strictSame(Object.keys(response), ['status', 'kind', 'items', 'count'])
  t.match(response, { status: { code: 200, message: 'OK' }, kind: 'spotinst:aws:ec2:group', count: 4 })
  t.strictSame(items.map((item) => item.name), ['web-frontend', 'batch-workers', 'ci-runners', 'search-index'])
})

t.test('an action answers with the status alone', async (t) => {
  const sandbox = await start(t, { seed: true })
  const { status, response } = await call(sandbox, 'DELETE', '/aws/ec2/group/sig-0f3ac1d2')
  t.equal(status, 200)
  t.strictSame(response, { status: { code: 200, message: 'OK' } })
})

t.test('a call is refused with the status that fits', async (t) => {
  const sandbox = await start(t, { accounts: TWO_ACCOUNTS })
  const cases: [string, number, string, string, RequestInit][] = [
    ['no token', 401, 'Unauthorized', '/aws/ec2/group', { headers: {} }],
    ['an unknown token', 401, 'Unauthorized', '/aws/ec2/group', { headers: { authorization: 'Bearer three' } }],
    ['another scheme', 401, 'Unauthorized', '/aws/ec2/group', { headers: { authorization: 'Basic one' } }],
    ['an account of another token', 403, 'Forbidden', '/aws/ec2/group?accountId=act-00000002', {}],
    ['no account', 400, 'ValidationError', '/aws/ec2/group?accountId=', {}],
    ['two accounts', 400, 'ValidationError', '/aws/ec2/group?accountId=act-00000001&accountId=act-00000001', {}],
    ['an unknown group', 400, 'GROUP_DOESNT_EXIST', '/aws/ec2/group/sig-00000000', {}],
    ['an unknown group\'s status', 400, 'GROUP_DOESNT_EXIST', '/aws/ec2/group/sig-00000000/status', {}],
    ['an unknown instance', 400, 'MANAGED_INSTANCE_DOESNT_EXIST', '/aws/ec2/managedInstance/smi-0', {}],
    ['an unknown path', 404, 'NotFound', '/setup/account', {}],
    ['an unknown method', 404, 'NotFound', '/aws/ec2/group', { method: 'PATCH' }],
    ['a fixed segment in place of an id', 404, 'NotFound', '/aws/ec2/managedInstance/state', {}],
    ['a path that cannot be decoded', 404, 'NotFound', '/aws/ec2/group/%zz', {}]
  ]
  for (const [name, status, code, path, init] of cases) {
    const answer = await call(sandbox, 'GET', path, undefined, init)
    t.equal(answer.status, status, name)
    t.match(answer.response, { status: { code: status }, errors: [{ code, message: String }] }, name)
    t.ok(answer.headers.has('x-ratelimit-remaining'), `${name}: rate limit headers`)
  }
  t.equal(sandbox.transcript.length, cases.length)
})

t.test('accounts do not see one another\'s groups', async (t) => {
  const sandbox = await start(t, { accounts: TWO_ACCOUNTS })
  const { id } = await created(sandbox, '/aws/ec2/group', group())
  const other = { headers: { authorization: 'Bearer two' } }
  const answer = await call(sandbox, 'GET', `/aws/ec2/group/${id}?accountId=act-00000002`, undefined, other)
  t.equal(answer.errors[0]?.code, 'GROUP_DOESNT_EXIST')
})

t.test('a body that is no JSON is answered in plain text', async (t) => {
  const sandbox = await start(t)
  const answer = await call(sandbox, 'POST', '/aws/ec2/group', undefined, { body: '{"group":' })
  t.equal(answer.status, 400)
  t.match(answer.headers.get('content-type'), /^text\/plain/)
  t.equal(answer.text, 'Bad Request')
})

t.test('a body over 4 MiB is refused', async (t) => {
  const sandbox = await start(t)
  const answer = await call(sandbox, 'POST', '/aws/ec2/group', group({ description: 'x'.repeat(4 * 1024 * 1024) }))
  t.equal(answer.status, 413)
  t.match(sandbox.transcript, [{ status: 413, committed: false }])
})

t.test('a group lives from POST to DELETE exactly as it was sent', async (t) => {
  const sandbox = await start(t)
  const odd = { multai: null, zero: 0, no: false, empty: '', unknown: { a: {} } }
  const body = group({ ...odd, scaling: { up: [], down: null } })
  const item = await created(sandbox, '/aws/ec2/group', body)
  t.match(item.id, /^sig-[0-9a-f]{8}$/)
  const dates = { createdAt: '2026-03-10T12:00:00.000Z', updatedAt: '2026-03-10T12:00:00.000Z' }
  t.strictSame(item, { ...body.group, id: item.id, ...dates })
  const path = `/aws/ec2/group/${item.id}`
  t.strictSame((await call(sandbox, 'GET', path)).items, [item])
  t.strictSame((await call(sandbox, 'GET', '/aws/ec2/group')).items, [item])

  sandbox.clock.advance(1000)
  const { items } = await call(sandbox, 'PUT', path, { group: { capacity: { target: 3 } } })
  const capacity = { ...body.group.capacity, target: 3 }
  t.strictSame(items, [{ ...item, capacity, updatedAt: '2026-03-10T12:00:01.000Z' }])

  const statefulDeallocation = { shouldDeleteImages: true, shouldDeleteVolumes: false }
  t.equal((await call(sandbox, 'DELETE', path, { statefulDeallocation })).status, 200)
  t.strictSame(sandbox.transcript.at(-1)?.body, { statefulDeallocation })
  t.equal((await call(sandbox, 'GET', path)).errors[0]?.code, 'GROUP_DOESNT_EXIST')
})

t.test('a managed instance lives from POST to DELETE exactly as it was sent', async (t) => {
  const sandbox = await start(t)
  const body = managedInstance({ integrations: {}, persistence: null })
  const item = await created(sandbox, '/aws/ec2/managedInstance', body)
  t.match(item.id, /^smi-[0-9a-f]{8}$/)
  const { id, createdAt, updatedAt, ...config } = item
  t.strictSame(config, body.managedInstance)
  const list = await call(sandbox, 'GET', '/aws/ec2/managedInstance')
  t.strictSame(list.items, [{ id, createdAt, updatedAt, config }])
  t.equal(list.response.kind, 'spotinst:aws:ec2:managedInstance')

  const path = `/aws/ec2/managedInstance/${id}`
  const { items } = await call(sandbox, 'PUT', path, { managedInstance: { description: 'kept' } })
  t.strictSame(items, [{ ...item, description: 'kept' }])
  const deallocationConfig = { shouldTerminateInstance: true, shouldDeleteSnapshots: true }
  t.equal((await call(sandbox, 'DELETE', path, { deallocationConfig })).status, 200)
  t.equal((await call(sandbox, 'GET', path)).errors[0]?.code, 'MANAGED_INSTANCE_DOESNT_EXIST')
})

t.test('status and costs of an unknown managed instance are 200 and empty', async (t) => {
  const sandbox = await start(t)
  for (const path of ['status', 'costs']) {
    const answer = await call(sandbox, 'GET', `/aws/ec2/managedInstance/smi-00000000/${path}`)
    t.equal(answer.status, 200)
    t.match(answer.response, { items: [], count: 0 })
  }
})

t.test('managed instances are listed flat on request', async (t) => {
  const sandbox = await start(t, { listShape: 'flat' })
  const item = await created(sandbox, '/aws/ec2/managedInstance', managedInstance())
  t.strictSame((await call(sandbox, 'GET', '/aws/ec2/managedInstance')).items, [item])
})

t.test('the group list is filtered by exact name and by creation date', async (t) => {
  const sandbox = await start(t)
  await created(sandbox, '/aws/ec2/group', group({ name: 'a' }))
  sandbox.clock.advance(48 * HOUR)
  await created(sandbox, '/aws/ec2/group', group({ name: 'ab' }))
  const cases: [string, string[]][] = [
    ['name=a', ['a']],
    ['name=abc', []],
    ['minCreatedAt=2026-03-12', ['ab']],
    ['maxCreatedAt=2026-03-12', ['a']],
    [`minCreatedAt=${START}&maxCreatedAt=${START}`, ['a']]
  ]
  for (const [query, names] of cases) {
    const { items } = await call(sandbox, 'GET', `/aws/ec2/group?${query}`)
    t.strictSame(items.map((item) => item.name), names, query)
  }
  t.equal((await call(sandbox, 'GET', '/aws/ec2/group?minCreatedAt=monday')).status, 400)
})

t.test('a PUT merges: missing keeps, null clears, arrays are replaced', async (t) => {
  const sandbox = await start(t)
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
    const { id } = await created(sandbox, '/aws/ec2/group', { group: { name, ...before } })
    const { items: [item] } = await call(sandbox, 'PUT', `/aws/ec2/group/${id}`, { group: sent })
    const { createdAt, updatedAt } = item ?? {}
    t.strictSame(item, { id, name, ...after, createdAt, updatedAt }, name)
  }
})

t.test('a "__proto__" in a body is a key like any other', async (t) => {
  const sandbox = await start(t)
  const body = '{"group":{"name":"a","x":{"__proto__":{"a":1}}}}'
  const { id } = await created(sandbox, '/aws/ec2/group', JSON.parse(body) as object)
  const update = '{"group":{"x":{"__proto__":{"b":2}}}}'
  const answer = await call(sandbox, 'PUT', `/aws/ec2/group/${id}`, undefined, { body: update })
  t.match(answer.text, '"x":{"__proto__":{"a":1,"b":2}}')
})

t.test('what is fixed at creation cannot be changed, and may be repeated', async (t) => {
  const sandbox = await start(t)
  const paths = {
    group: `/aws/ec2/group/${(await created(sandbox, '/aws/ec2/group', group())).id}`,
    managedInstance: `/aws/ec2/managedInstance/${
      (await created(sandbox, '/aws/ec2/managedInstance', managedInstance())).id}`
  }
  const cases: ['group' | 'managedInstance', string, object, object][] = [
    ['group', 'capacity.unit', { capacity: { unit: 'instance' } }, { capacity: { unit: 'weight' } }],
    ['group', 'compute.product', { compute: { product: 'Linux/UNIX' } }, { compute: { product: 'Windows' } }],
    ['group', 'region', { region: 'us-east-1' }, { region: 'us-west-2' }],
    ['managedInstance', 'compute.product', { compute: { product: 'Linux/UNIX' } }, { compute: { product: null } }],
    ['managedInstance', 'region', { region: 'us-east-1' }, { region: 'us-west-2' }]
  ]
  for (const [envelope, path, same, other] of cases) {
    t.equal((await call(sandbox, 'PUT', paths[envelope], { [envelope]: same })).status, 200, `${path} repeated`)
    const before = (await call(sandbox, 'GET', paths[envelope])).items
    const { status, errors } = await call(sandbox, 'PUT', paths[envelope], { [envelope]: other })
    t.equal(status, 400, `${path} changed`)
    t.match(errors, [{ field: `${envelope}.${path}` }])
    t.strictSame((await call(sandbox, 'GET', paths[envelope])).items, before, 'nothing was changed')
  }
})

t.test('a body is refused in the words of Joi, everything wrong at once', async (t) => {
  const sandbox = await start(t)
  const { id } = await created(sandbox, '/aws/ec2/group', group())
  const peers = { spot: ['m5.large'], resourceRequirements: null }
  const cases: [string, string, unknown, [string, string][]][] = [
    ['POST', '/aws/ec2/group', undefined, [['"group" is required', 'group']]],
    ['POST', '/aws/ec2/group', group().group, [['"group" is required', 'group']]],
    ['POST', '/aws/ec2/group', { group: null }, [['"group" must be an object', 'group']]],
    ['POST', '/aws/ec2/group', { ...group(), more: 1 }, [['"more" is not allowed', 'more']]],
    ['POST', '/aws/ec2/group', { group: { capacity: { target: '2', minimum: 1.5, maximum: -1 } } }, [
      ['"name" is required', 'group.name'],
      ['"target" must be a number', 'group.capacity.target'],
      ['"minimum" must be an integer', 'group.capacity.minimum'],
      ['"maximum" must be greater than or equal to 0', 'group.capacity.maximum']
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
      ['"subnetIds" is required', 'managedInstance.compute.subnetIds'],
      ['"vpcId" must be a string', 'managedInstance.compute.vpcId']
    ]]
  ]
  for (const [method, path, body, expected] of cases) {
    const { status, errors } = await call(sandbox, method, path, body)
    const name = JSON.stringify(body)
    t.equal(status, 400, name)
    t.strictSame(errors.map(({ message, field }) => [message, field]), expected, name)
  }
  t.equal(sandbox.transcript.filter((entry) => entry.committed).length, 1, 'none of them was carried out')
})

t.test('one of two exclusive fields is cleared with null', async (t) => {
  const sandbox = await start(t)
  const { id } = await created(sandbox, '/aws/ec2/group', group())
  const instanceTypes = { ondemand: null, onDemandTypes: ['m5.large'] }
  const { items } = await call(sandbox, 'PUT', `/aws/ec2/group/${id}`, { group: { compute: { instanceTypes } } })
  t.match(items, [{ compute: { instanceTypes } }])
})

t.test('a script that is no base64 gets 200 and is not stored', async (t) => {
  const sandbox = await start(t)
  const script = Buffer.from('#!/bin/sh\necho hello\n').toString('base64')
  const compute = (userData: string | null) => ({ compute: { launchSpecification: { userData } } })
  const { id, ...item } = await created(sandbox, '/aws/ec2/group', { group: { name: 'a', ...compute('#!/bin/sh') } })
  t.strictSame(item.compute, { launchSpecification: {} })
  const path = `/aws/ec2/group/${id}`
  t.match((await call(sandbox, 'PUT', path, { group: compute(script) })).items, [compute(script)])
  sandbox.clock.advance(1000)
  const plain = await call(sandbox, 'PUT', path, { group: compute('echo hello') })
  t.equal(plain.status, 200)
  t.match(plain.items, [{ ...compute(script), updatedAt: '2026-03-10T12:00:01.000Z' }])
  t.match((await call(sandbox, 'PUT', path, { group: compute(null) })).items, [compute(null)])
})

t.test('the rate limit counts per organization, route and method', async (t) => {
  const sandbox = await start(t, { accounts: TWO_ACCOUNTS, rateLimit: 2, seed: true })
  const remaining = async (method: string, path: string, init?: RequestInit) => {
    const { headers } = await call(sandbox, method, path, undefined, init)
    return headers.get('x-ratelimit-remaining')
  }
  const two = { headers: { authorization: 'Bearer two' } }
  t.equal(await remaining('GET', '/aws/ec2/group/sig-0f3ac1d2'), '1')
  t.equal(await remaining('GET', '/aws/ec2/group/sig-00000000'), '0', 'the template counts, not the path')
  t.equal(await remaining('DELETE', '/aws/ec2/group/sig-00000000'), '1', 'another method')
  t.equal(await remaining('GET', '/aws/ec2/group/sig-0f3ac1d2/status'), '1', 'another route')
  const theirs = '/aws/ec2/group/sig-0f3ac1d2?accountId=act-00000002'
  t.equal(await remaining('GET', theirs, two), '1', 'another organization')
})

t.test('over the limit comes the vendor\'s odd 429, and knocking on prolongs it', async (t) => {
  const sandbox = await start(t, { rateLimit: 3 })
  const knock = () => call(sandbox, 'GET', '/aws/ec2/group')
  const standing = ({ status, headers }: Answer) => [
    status, ...['limit', 'remaining', 'reset'].map((name) => headers.get(`x-ratelimit-${name}`))
  ]
  for (const remaining of ['2', '1', '0']) {
    t.strictSame(standing(await knock()), [200, '3', remaining, '60'])
  }
  sandbox.clock.advance(30_000)
  const blocked = await knock()
  t.strictSame(standing(blocked), [429, '3', '0', '30'])
  t.strictSame(blocked.response, { status: { code: 429, message: 'Too Many Requests' }, data: 'Rate limit exceeded' })
  await knock()
  t.strictSame(standing(await knock()), [429, '3', '0', '60'], 'three calls while blocked fill the window anew')
  sandbox.clock.advance(59_000)
  t.strictSame(standing(await knock()), [429, '3', '0', '1'])
  sandbox.clock.advance(1_000)
  t.strictSame(standing(await knock()), [200, '3', '1', '59'], 'the block ends when it said it would')
})

t.test('the instances of a group come up one row per target, and keep their ids', async (t) => {
  const sandbox = await start(t)
  const { id } = await created(sandbox, '/aws/ec2/group', group({ strategy: { onDemandCount: 1 } }))
  const rows = async () => (await call(sandbox, 'GET', `/aws/ec2/group/${id}/status`)).items
  const states = async () => (await rows()).map((row) => row.status)
  const ids = async () => (await rows()).map((row) => row.instanceId)
  const scale = (target: number) => call(sandbox, 'PUT', `/aws/ec2/group/${id}`, { group: { capacity: { target } } })

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

t.test('a managed instance is pending, then active', async (t) => {
  const sandbox = await start(t)
  const { id } = await created(sandbox, '/aws/ec2/managedInstance', managedInstance())
  const status = async () => (await call(sandbox, 'GET', `/aws/ec2/managedInstance/${id}/status`)).items
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

t.test('seeded resources are up from the first moment', async (t) => {
  const sandbox = await start(t, { seed: true })
  t.match((await call(sandbox, 'GET', '/aws/ec2/group/sig-0f3ac1d2/status')).items, [
    { status: 'running' }, { status: 'fulfilled' }, { status: 'fulfilled' }, { status: 'fulfilled' }
  ])
  for (const id of ['smi-4e8b21f7', 'smi-a90c3d58']) {
    t.match((await call(sandbox, 'GET', `/aws/ec2/managedInstance/${id}/status`)).items, [{ status: 'ACTIVE' }])
  }
})

interface Costs {
  running: { value: number, unit: string }
  savings: { value: number, unit: string }
  costs: { actual: number, potential: number }
}

async function costs (sandbox: Sandbox, resource: string, from?: number, to?: number): Promise<Costs> {
  const query = new URLSearchParams()
  if (from !== undefined) query.set('fromDate', new Date(from).toISOString())
  if (to !== undefined) query.set('toDate', new Date(to).toISOString())
  const { items } = await call(sandbox, 'GET', `/aws/ec2/${resource}/costs?${query}`)
  return items[0] as unknown as Costs
}

t.test('the costs of a range are the sum of its parts, whatever the group went through', async (t) => {
  const sandbox = await start(t, { rateLimit: 1_000_000 })
  const { id } = await created(sandbox, '/aws/ec2/group', group())
  for (const target of [5, 0, 7, 1]) {
    sandbox.clock.advance(9.7 * HOUR)
    await call(sandbox, 'PUT', `/aws/ec2/group/${id}`, { group: { capacity: { target } } })
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
  const sandbox = await start(t)
  const { id } = await created(sandbox, '/aws/ec2/managedInstance', managedInstance())
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
  const days = await call(sandbox, 'GET', `/aws/ec2/${resource}/costs?fromDate=2026-03-10&toDate=2026-03-11`)
  t.strictSame(days.items, [whole], 'days')
  const seconds = `fromDate=${START / 1000}&toDate=${START / 1000 + 7220}`
  t.strictSame((await call(sandbox, 'GET', `/aws/ec2/${resource}/costs?${seconds}`)).items, [whole], 'Unix seconds')
})

t.test('the costs of a group need both dates, in order', async (t) => {
  const sandbox = await start(t, { seed: true })
  const cases: [string, string[]][] = [
    ['', ['"fromDate" is required', '"toDate" is required']],
    ['fromDate=2026-03-01', ['"toDate" is required']],
    ['fromDate=soon&toDate=2026-03-01', ['"fromDate" must be a valid date']],
    ['fromDate=2026-03-02&toDate=2026-03-01', ['"toDate" must be greater than or equal to "ref:fromDate"']]
  ]
  for (const [query, messages] of cases) {
    const { status, errors } = await call(sandbox, 'GET', `/aws/ec2/group/sig-0f3ac1d2/costs?${query}`)
    t.equal(status, 400)
    t.strictSame(errors.map((entry) => entry.message), messages, query)
  }
})

t.test('a client sees every kind of fault, and the operation is carried out when the fault says so', async (t) => {
  const sandbox = await start(t)
  const post = () => call(sandbox, 'POST', '/aws/ec2/group', group())
  const answers = (status: number, type: RegExp, text: RegExp) => async () => {
    const answer = await post()
    t.equal(answer.status, status)
    t.match(answer.headers.get('content-type'), type)
    t.match(answer.text, text)
    t.ok(answer.headers.has('x-ratelimit-limit'))
    return answer
  }
  const breaks = (code: string) => async () => {
    const error = await post().then(() => undefined, (error: Error & { cause?: { code?: string } }) => error)
    t.equal(error?.cause?.code ?? error?.name, code)
  }
  /** The caller waits in vain: a later call is answered, and this one is not (in full) until the caller gives up. */
  const waits = (part: RegExp | undefined) => async () => {
    const caller = new AbortController()
    const { url, accounts: [account] } = sandbox
    let text: string | undefined
    const answer = fetch(`${url}/aws/ec2/group?accountId=${account?.id}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${account?.token}`, 'content-type': 'application/json' },
      body: JSON.stringify(group()),
      signal: caller.signal
    }).then(async ({ body }) => {
      for await (const chunk of body ?? []) text = (text ?? '') + Buffer.from(chunk).toString()
      return 'answered'
    }, ({ name }: Error) => name).catch(({ name }: Error) => name)
    await until(() => sandbox.transcript.some(({ method }) => method === 'POST'))
    if (part) await until(() => text)
    t.equal((await call(sandbox, 'GET', '/aws/ec2/group')).status, 200)
    sandbox.transcript.pop()
    caller.abort()
    t.equal(await answer, 'AbortError')
    if (part) t.match(text, part)
    else t.equal(text, undefined)
  }
  const json = /^application\/json/
  const stored = /"id":"sig-[0-9a-f]{8}"/
  const cases: [string, Fault, () => Promise<unknown>, { committed: boolean, status: number | undefined }][] = [
    ['500', { kind: 'status' }, answers(500, json, /"errors":\[\{"code":"500"/), { committed: false, status: 500 }],
    ['504 after the commit', { status: 504, commit: 'first' }, answers(504, json, /"errors"/),
      { committed: true, status: 504 }],
    ['a body of one\'s own', { status: 400, body: { response: { error: 'odd' } }, headers: { 'x-odd': 'yes' } },
      async () => t.equal((await answers(400, json, /^\{"response":\{"error":"odd"\}\}$/)()).headers.get('x-odd'), 'yes'),
      { committed: false, status: 400 }],
    ['a text of one\'s own', { status: 503, body: 'busy' }, answers(503, /^text\/plain/, /^busy$/),
      { committed: false, status: 503 }],
    ['201 with the genuine reply', { status: 201, commit: 'first' }, answers(201, json, stored),
      { committed: true, status: 201 }],
    ['reset before the commit', { kind: 'reset' }, breaks('ECONNRESET'), { committed: false, status: undefined }],
    ['reset after the commit', { kind: 'reset', commit: 'first' }, breaks('ECONNRESET'),
      { committed: true, status: undefined }],
    ['hang before the commit', { kind: 'hang' }, waits(undefined), { committed: false, status: undefined }],
    ['hang after the commit', { kind: 'hang', commit: 'first' }, waits(undefined),
      { committed: true, status: undefined }],
    ['truncated', { kind: 'truncated' }, breaks('UND_ERR_SOCKET'), { committed: true, status: 200 }],
    ['truncated before the commit', { kind: 'truncated', commit: 'none' }, breaks('UND_ERR_SOCKET'),
      { committed: false, status: 200 }],
    ['stall', { kind: 'stall' }, waits(/^\{"request"/), { committed: true, status: 200 }],
    ['garbage', { kind: 'garbage' }, answers(200, json, /not json/), { committed: false, status: 200 }],
    ['HTML', { kind: 'html' }, answers(502, /^text\/html/, /<h1>502 Bad Gateway/), { committed: false, status: 502 }],
    ['redirect', { kind: 'redirect' },
      async () => t.equal((await answers(302, /./, /^$/)()).headers.get('location'), '/redirected'),
      { committed: false, status: 302 }],
    ['wrong content type', { kind: 'wrong-content-type' }, answers(200, /^text\/html/, stored),
      { committed: true, status: 200 }]
  ]
  for (const [name, fault, meet, record] of cases) {
    await t.test(name, async (t) => {
      sandbox.transcript.length = 0
      const before = (await call(sandbox, 'GET', '/aws/ec2/group')).items.length
      sandbox.faults.inject({ method: 'POST', ...fault })
      await meet()
      t.match(sandbox.transcript.at(-1), { ...record, body: { group: { name: 'fleet' } } })
      const after = (await call(sandbox, 'GET', '/aws/ec2/group')).items.length
      t.equal(after - before, record.committed ? 1 : 0)
    })
  }
})

t.test('a late commit happens after the connection was dropped', async (t) => {
  const sandbox = await start(t)
  let commit = () => {}
  const lateBy = new Promise<void>((resolve) => { commit = resolve })
  sandbox.faults.inject({ kind: 'reset', commit: 'late', lateBy })
  await t.rejects(call(sandbox, 'POST', '/aws/ec2/group', group()))
  t.strictSame((await call(sandbox, 'GET', '/aws/ec2/group')).items, [])
  commit()
  t.equal((await call(sandbox, 'GET', '/aws/ec2/group')).items.length, 1)
  t.match(sandbox.transcript[0], { method: 'POST', status: undefined, committed: true })
})

t.test('a commit under a fault obeys the rules like any other', async (t) => {
  const sandbox = await start(t)
  sandbox.faults.inject({ status: 504, commit: 'first' })
  await call(sandbox, 'POST', '/aws/ec2/group', { group: {} })
  t.match(sandbox.transcript, [{ status: 504, committed: false }])
})

t.test('a fault without a kind only takes its time', async (t) => {
  const sandbox = await start(t)
  for (const commit of ['none', 'first'] as const) {
    let over = () => {}
    const latency = new Promise<void>((resolve) => { over = resolve })
    sandbox.transcript.length = 0
    sandbox.faults.inject({ method: 'POST', latency, commit, headers: { 'x-slow': commit } })
    const answer = call(sandbox, 'POST', '/aws/ec2/group', group())
    await until(() => sandbox.transcript.length > 0)
    t.equal((await call(sandbox, 'GET', '/aws/ec2/group')).status, 200, 'others are answered')
    t.match(sandbox.transcript[0], { status: undefined, committed: commit === 'first' }, `commit: ${commit}`)
    over()
    t.match(await answer, { status: 200, items: [{ name: 'fleet' }] })
    t.equal((await answer).headers.get('x-slow'), commit)
  }
})

t.test('a latency in milliseconds passes in real time', async (t) => {
  const sandbox = await start(t)
  sandbox.faults.inject({ latency: 30 })
  const begun = performance.now()
  await call(sandbox, 'GET', '/aws/ec2/group')
  // No upper bound: only an answer too early is a fault, and none is so by being slow. A timer may be 1 ms early.
  t.ok(performance.now() - begun >= 28)
})

t.test('a fault meets the calls it is meant for, as often as it says', async (t) => {
  const sandbox = await start(t, { seed: true })
  const statuses = async (...paths: string[]) => {
    const all = []
    for (const path of paths) all.push((await call(sandbox, 'GET', path)).status)
    return all
  }
  const [list, one] = ['/aws/ec2/group', '/aws/ec2/group/sig-0f3ac1d2']
  sandbox.faults.inject({ path: /^\/aws\/ec2\/group$/, times: 2, status: 503 })
  t.strictSame(await statuses(list, one, list, list), [503, 200, 503, 200])
  sandbox.faults.inject({ path: '/aws/ec2/managedInstance', times: Infinity, status: 503 })
  t.strictSame(await statuses('/aws/ec2/managedInstance', list, '/aws/ec2/managedInstance'), [503, 200, 503])
  sandbox.faults.clear()
  t.strictSame(await statuses('/aws/ec2/managedInstance'), [200])
  sandbox.faults.inject({ probability: 0, times: Infinity, status: 503 })
  sandbox.faults.inject({ method: 'post', status: 503 })
  t.strictSame(await statuses(list, list), [200, 200])
})

t.test('the transcript shows each call as it was on the wire', async (t) => {
  const sandbox = await start(t)
  const path = '/aws/ec2/group/a%2Fb?name=x&name=y'
  await call(sandbox, 'PUT', path, { group: { a: null } })
  const { headers, ...entry } = sandbox.transcript[0] ?? {}
  t.strictSame(entry, {
    method: 'PUT',
    path: '/aws/ec2/group/a%2Fb',
    route: '/aws/ec2/group/{groupId}',
    query: { name: ['x', 'y'], accountId: 'act-5a9db0c5' },
    body: { group: { a: null } },
    status: 400,
    committed: false,
    at: START
  })
  t.equal(headers?.['content-type'], 'application/json')
  t.notOk(JSON.stringify(sandbox.transcript).includes(sandbox.accounts[0]?.token ?? ''), 'no token')
})

t.test('dot segments reach the transcript undigested', async (t) => {
  const sandbox = await start(t)
  const socket = connect(Number(new URL(sandbox.url).port), '127.0.0.1')
  socket.write('GET /aws/ec2/group/../../setup HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  await new Promise((resolve) => socket.on('close', resolve).resume())
  t.match(sandbox.transcript, [{ path: '/aws/ec2/group/../../setup', route: undefined, status: 404 }])
})

t.test('the transcript keeps the newest 10,000 calls', async (t) => {
  const { record, LONGEST_TRANSCRIPT } = await import('../sandbox/transcript.js')
  const transcript: Parameters<typeof record>[0] = []
  const entry = { method: 'GET', path: '/', route: undefined, query: {}, headers: {}, body: undefined }
  for (let at = 0; at <= LONGEST_TRANSCRIPT; at++) {
    record(transcript, { ...entry, status: 200, committed: false, at })
  }
  t.equal(transcript.length, 10_000)
  t.equal(transcript[0]?.at, 1)
})

t.test('closing ends a connection that hangs', async (t) => {
  const sandbox = await startSandbox()
  sandbox.faults.inject({ kind: 'hang' })
  const hanging = t.rejects(call(sandbox, 'GET', '/aws/ec2/group'))
  await until(() => sandbox.transcript.length > 0)
  await sandbox.close()
  await hanging
  await t.rejects(fetch(sandbox.url), 'and nobody listens any more')
})
