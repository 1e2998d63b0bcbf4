import { hash } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { hashSync } from '@node-rs/bcrypt'
import t, { type Test } from 'tap'
import { document, operationsOf, resolve } from '../openapi/document.js'
import type { Client } from '../services/access/clients.js'
import { owner } from '../services/configuration/index.js'
import type { Guardrails } from '../services/guardrails/index.js'
import { ACCOUNT, KEY, start, type Reply } from './helper.js'
import { testDirectory } from './test-directory.js'
import { until } from './until.js'
import { validCall } from './valid-calls.js'

/*
 * Attacks of callers that want more than they were given: what each of them sends, and what must come of it.
 */

type Json = Record<string, unknown>

const names = ['reader', 'writer', 'deleter', 'admin'] as const
type Caller = typeof names[number]

const keyOf = (name: string) => `the-key-of-${name}-0`
const tokens = Object.fromEntries(names.map((name) => [name, hashSync(keyOf(name), 4)])) as Record<Caller, string>
const rights: Record<Caller, Pick<Client, 'access' | 'allowDelete'>> = {
  reader: { access: 'read', allowDelete: false },
  writer: { access: 'write', allowDelete: false },
  deleter: { access: 'write', allowDelete: true },
  admin: { access: 'admin', allowDelete: true }
}
const client = (name: Caller): Client => ({ name, keys: [keyOf(name)], accounts: ['*'], ...rights[name] })

const { examples } = document.components as unknown as { examples: Record<string, { value: Json }> }
const group = examples.ElastigroupCreateExample?.value as Json
const instance = examples.ManagedInstanceCreateExample?.value as Json

/** A gateway with a client of each kind, an audit, and a Spot that has a group and a managed instance. */
async function startFor (t: Test, guardrails?: Guardrails, { rateLimit = 1_000_000 } = {}) {
  const account = { id: 'act-5a9db0c5', token: 'vendor-token-for-tests' }
  const { sandbox } = await start(t, { sandbox: { accounts: [account], rateLimit } })
  const file = join(testDirectory(t), 'audit.log')
  const gateway = await start(t, {
    configuration: {
      accounts: { [ACCOUNT]: { ...account, endpoint: sandbox.url, ...guardrails && { guardrails } } },
      clients: [owner(KEY), ...names.map(client)],
      audit: { file }
    }
  })
  const audit = (): Json[] => readFileSync(file, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line))
  const base = `/v1/spot/${ACCOUNT}`
  return {
    ...gateway,
    sandbox,
    as: (caller: Caller, method: string, path: string, body?: unknown): Promise<Reply> =>
      gateway.request(method, `${base}/${path}`, {
        body, token: null, headers: { 'x-auth-token': tokens[caller], 'x-auth-client': caller }
      }),
    /** Makes one of these and returns its id. */
    make: async (noun: 'elastigroups' | 'instances', body: Json): Promise<string> =>
      (await gateway.request('POST', `${base}/${noun}`, { body })).json.id,
    /** Calls to Spot since the last look; writes only, unless all are wanted. */
    calls: (all = false) => sandbox.transcript.splice(0).filter(({ method }) => all || method !== 'GET'),
    audit,
    lastLine: () => audit().at(-1) as Json & { changes: { pointer: string, value: unknown }[] }
  }
}

t.test('a body is refused where an operation takes none, and the hint names the query parameters to use', async (t) => {
  const { as, calls, make, lastLine } = await startFor(t)
  const id = await make('elastigroups', group)
  const smi = await make('instances', instance)
  calls()
  const rows: [method: string, path: string, body: unknown, hint: RegExp][] = [
    ['DELETE', `elastigroups/${id}`, { statefulDeallocation: { shouldDeleteVolumes: false } }, /shouldDeleteVolumes/],
    ['DELETE', `instances/${smi}`, { shouldTerminateInstance: false }, /shouldTerminateInstance/],
    ['POST', `elastigroups/${id}/scale/up`, { adjustment: 3 }, /query parameters instead: adjustment/],
    ['POST', `elastigroups/${id}/scale/down`, { adjustment: 3 }, /query parameters instead: adjustment/],
    ['POST', `instances/${smi}/pause`, [], /Leave the body out/],
    ['POST', `instances/${smi}/pause`, null, /Leave the body out/],
    ['POST', `instances/${smi}/pause`, 0, /Leave the body out/]
  ]
  for (const [method, path, body, hint] of rows) {
    const what = `${method} ${path} ${JSON.stringify(body)}`
    const { status, json } = await as('admin', method, path, body)
    t.match({ status, json }, { status: 400, json: { type: /invalid-request/, hint, errors: [{ pointer: '#' }] } }, what)
    t.strictSame([calls(), lastLine().changes], [[], []], 'nothing is sent, and nothing is claimed')
  }
})

t.test('every operation without a body refuses one, except an empty object', async (t) => {
  const { as, calls } = await startFor(t)
  for (const { path, method, operation } of operationsOf(document)) {
    if (!path.includes('{account}') || operation.requestBody) continue
    const { query } = validCall(operation)
    const filled = path.replace('/v1/spot/{account}/', '').replace(/\{\w+\}/g, 'x-1') + query
    t.equal((await as('admin', method.toUpperCase(), filled, { any: 1 })).status, 400, operation.operationId)
    t.equal(calls(true).length, 0)
    t.not((await as('admin', method.toUpperCase(), filled, {})).status, 400, `${operation.operationId} {}`)
    t.ok(calls(true).length > 0)
  }
})

t.test('the audit says what Spot was sent', async (t) => {
  const { as, make, lastLine, calls, request } = await startFor(t)
  const id = await make('elastigroups', group)
  await as('admin', 'POST', `elastigroups/${id}/scale/up`, {})
  t.match(lastLine(), { outcome: 'done', options: { adjustment: '1' }, changes: [] })
  const headers = { 'idempotency-key': 'k' }
  await request('POST', `/v1/spot/${ACCOUNT}/elastigroups/${id}/scale/up`, { headers })
  t.notOk('idempotencyKey' in lastLine(), 'nor a key that counts for nothing')
  await as('admin', 'PUT', `elastigroups/${id}`, { id: 'sig-other', description: 'new' })
  t.strictSame(lastLine().changes, [{ pointer: '#/description', value: 'new' }], 'and not what was taken out')
  calls()
  await as('admin', 'DELETE', `elastigroups/${id}?shouldDeleteVolumes=false`)
  t.match(lastLine(), { outcome: 'done', options: { shouldDeleteVolumes: false } })
  const [{ body }] = calls() as unknown as [{ body: { statefulDeallocation: Json } }]
  t.strictSame(Object.fromEntries(lastLine().changes.map(({ pointer, value }) => [pointer, value])),
    Object.fromEntries(Object.entries(body.statefulDeallocation).map(([name, value]) =>
      [`#/statefulDeallocation/${name}`, value])))
})

t.test('every array in a request has a maximum length, except in Spot\'s own objects', async (t) => {
  const endless: string[] = []
  const vendors = /^(create|update)(Elastigroup|Instance)$/
  const seen = new Set<object>()
  function look (value: unknown, path: string) {
    if (typeof value !== 'object' || value === null || seen.has(value)) return
    seen.add(value)
    const { $ref, type, maxItems } = value as { $ref?: string, type?: string, maxItems?: number }
    if ($ref !== undefined) look(resolve(value as { $ref: string }), $ref)
    if (type === 'array' && maxItems === undefined) endless.push(path)
    for (const [name, inner] of Object.entries(value)) look(inner, `${path}/${name}`)
  }
  for (const { operation: { operationId, requestBody }, parameters } of operationsOf(document)) {
    look(parameters, operationId)
    if (!vendors.test(operationId)) look(requestBody, operationId)
  }
  t.strictSame(endless, [])
})

t.test('a request that names a thousand instances makes one call to Spot for its guardrails', async (t) => {
  const { as, make, calls } = await startFor(t, { protectedTags: ['keep'] })
  const [one, other] = [await make('instances', instance), await make('instances', instance)]
  calls(true)
  const pause = (...ids: string[]) => ids.map((id) => ({ id, state: 'PAUSE' }))
  const invented = Array.from({ length: 1000 }, (_, i) => `smi-${String(i).padStart(8, '0')}`)
  const many = await as('writer', 'PUT', 'instances/state?dryRun=true', pause(one, ...invented))
  t.match(many, {
    status: 400, json: { type: /invalid-request/, errors: [{ pointer: '#', code: 'maxItems' }] }
  }, 'more than a thousand')
  t.equal(calls(true).length, 0)
  for (const query of ['', '?dryRun=true']) {
    const { status, json } = await as('writer', 'PUT', `instances/state${query}`, pause(one, ...invented.slice(1)))
    t.match({ status, json }, {
      status: 404, json: { type: /resource-not-found/, detail: /smi-00000001/, errors: [{ pointer: '#/1/id' }] }
    })
    t.strictSame(calls(true).map(({ route }) => route), ['/aws/ec2/managedInstance'], 'one list, and nothing more')
  }
  t.equal((await as('writer', 'PUT', 'instances/state', pause(one, other))).status, 202)
  t.equal(calls(true).length, 2)
})

t.test('a request makes four different calls and no more, each at most three times', async (t) => {
  const { app, as, make, calls, sandbox, lastLine } = await startFor(t, { maxCapacity: 100 })
  const id = await make('elastigroups', tagged('other'))
  const row = /^\| (\d+) different calls to Spot for one request, each sent up to (\w+) times/m
  const [, most, attempts] = row.exec(readFileSync(join(import.meta.dirname, '../docs/operations.md'), 'utf8')) ?? []
  t.strictSame([most, attempts], ['4', 'three'])

  for (const kind of ['read', 'write'] as const) {
    const account = app.spot.account(ACCOUNT, { kind, fresh: true })
    calls()
    const reads = [account, account.fresh, account, account.fresh]
    for (const { elastigroups } of reads) t.equal((await elastigroups.get(id)).id, id)
    for (const { elastigroups } of reads) await t.rejects(elastigroups.get(id), /^More than 4 calls for one request$/)
    await t.rejects(account.elastigroups.update(id, { name: 'x' }, {}), /More than 4/)
    t.strictSame([calls(true).length, account.calls], [4, 4], `${kind}: the fifth is not sent`)
  }

  // The greediest operation: what stands, the write, and a look for the roll that blocks it. After thirty calls, four
  // may be repeated.
  for (let i = 0; i < 30; i++) await as('admin', 'GET', `elastigroups/${id}`)
  calls(true)
  const path = `/aws/ec2/group/${id}`
  const message = "Can't have 2 Rolls at the same time"
  sandbox.faults.inject({ method: 'GET', path, status: 503, times: 2 })
  sandbox.faults.inject({ method: 'GET', path: `${path}/roll`, status: 503, times: 2 })
  sandbox.faults.inject({ method: 'PUT', path, errors: [{ code: 'GENERAL', message }] })
  t.equal((await as('admin', 'PUT', `elastigroups/${id}/capacity`, { target: 3 })).status, 400)
  const sent = calls(true).map(({ method, route }) => `${method} ${route?.replace('/aws/ec2/group/{groupId}', '')}`)
  t.strictSame(sent, ['GET ', 'GET ', 'GET ', 'PUT /capacity', 'GET /roll', 'GET /roll', 'GET /roll'])
  t.equal(lastLine().calls, sent.length, 'and the audit says so')
})

const tagged = (tagKey: string) => ({
  ...group,
  capacity: { minimum: 0, target: 2, maximum: 4, unit: 'instance' },
  compute: { ...group.compute as Json, launchSpecification: { imageId: 'ami-1', tags: [{ tagKey, tagValue: 'x' }] } }
})

t.test('protectedTags: no scaling policy, scheduled task or import ends what has such a tag', async (t) => {
  const { as, make, calls } = await startFor(t, { protectedTags: ['keep'] })
  const [id, free] = [await make('elastigroups', tagged('keep')), await make('elastigroups', tagged('other'))]
  calls()
  const down = (policy: Json) => ({ scaling: { down: [{ metricName: 'CPUUtilization', ...policy }] } })
  const task = (task: Json) => ({ scheduling: { tasks: [{ cronExpression: '0 0 * * *', ...task }] } })
  const step = (action: Json) => down({ stepAdjustments: [{ threshold: 1, action }] })
  const cluster = (name: string, autoScale?: Json) => ({ thirdPartiesIntegration: { [name]: { autoScale } } })
  const floor = { capacity: { minimum: 1 } }
  const rows: [body: Json, pointer: string | undefined][] = [
    [down({ action: { type: 'updateCapacity', target: 0 } }), '#/scaling/down/0/action/target'],
    [down({ action: { type: 'updateCapacity', target: '0' } }), '#/scaling/down/0/action/target'],
    [down({ action: { type: 'updateCapacity', maximum: 0 } }), '#/scaling/down/0/action/maximum'],
    [down({ action: { type: 'setMaxTarget', maxTargetCapacity: 0 } }), '#/scaling/down/0/action/maxTargetCapacity'],
    [down({ maxTargetCapacity: 0, action: { type: 'setMaxTarget' } }), '#/scaling/down/0/maxTargetCapacity'],
    [step({ type: 'updateCapacity', target: 0 }), '#/scaling/down/0/stepAdjustments/0/action/target'],
    [step({ type: 'adjustment', adjustment: 2 }), '#/scaling/down/0'],
    [step({ type: 'percentageAdjustment', adjustment: 100 }), '#/scaling/down/0'],
    [down({ adjustment: 2 }), '#/scaling/down/0'],
    [down({}), '#/scaling/down/0'],
    [{ scaling: { up: [{ action: { type: 'adjustment', adjustment: '-2' } }] } }, '#/scaling/up/0'],
    [{ scaling: { target: [{ metricName: 'x', target: 50 }] } }, '#/scaling/target/0'],
    ...['ecs', 'kubernetes', 'nomad', 'dockerSwarm', 'new.one'].flatMap((name): typeof rows => [
      [cluster(name, { isEnabled: true }), `#/thirdPartiesIntegration/${name}/autoScale`],
      [cluster(name, {}), `#/thirdPartiesIntegration/${name}/autoScale`],
      [{ ...floor, ...cluster(name, { isEnabled: true }) }, undefined],
      [{ ...cluster(name, { isEnabled: false }), capacity: { minimum: 0 } }, undefined]
    ]),
    [cluster('chef', undefined), undefined],
    [task({ taskType: 'shrink' }), '#/scheduling/tasks/0'],
    [task({ taskType: 'scaleDown', adjustment: 2 }), '#/scheduling/tasks/0'],
    [task({ taskType: 'percentageScaleDown', adjustmentPercentage: 100 }), '#/scheduling/tasks/0'],
    [task({ taskType: 'scaleUp', adjustment: -2 }), '#/scheduling/tasks/0'],
    [{ ...floor, ...task({ taskType: 'scaleDown', scaleMinCapacity: 0 }) }, '#/scheduling/tasks/0/scaleMinCapacity'],
    [{ ...floor, ...down({ adjustment: 1, action: { type: 'updateCapacity', minimum: 0 } }) },
      '#/scaling/down/0/action/minimum'],
    [{ ...floor, ...down({ adjustment: 2 }) }, undefined],
    [{ capacity: { minimum: 0 } }, '#/capacity/minimum'],
    [{ scaling: { down: null } }, undefined],
    [{ ...task({ taskType: 'scaleUp', adjustment: 2 }), capacity: { minimum: 0 } }, undefined],
    [down({ action: { type: 'setMaxTarget', maxTargetCapacity: 1 } }), undefined]
  ]
  for (const [body, pointer] of rows) {
    const what = JSON.stringify(body)
    const { status, json } = await as('admin', 'PUT', `elastigroups/${id}`, body)
    t.equal((await as('admin', 'PUT', `elastigroups/${free}?dryRun=true`, body)).status, 412, `${what} without the tag`)
    if (pointer === undefined) {
      t.equal(status, 200, `${what} ${JSON.stringify(json.errors)}`)
      continue
    }
    t.match({ status, json }, { status: 422, json: { errors: [{ pointer, code: 'protectedTags' }] } }, what)
  }
  const started = { originalInstanceId: 'i-0a1b2c3d4e5f60718', region: 'us-east-1' }
  for (const shouldTerminateInstance of [true, null, undefined]) {
    const { status, json } = await as('admin', 'POST', 'instances/imports', { ...started, shouldTerminateInstance })
    t.match({ status, json }, { status: 422, json: { errors: [{ pointer: '#/shouldTerminateInstance' }] } })
  }
  const kept = { ...started, shouldTerminateInstance: false }
  t.equal((await as('admin', 'POST', 'instances/imports?dryRun=true', kept)).status, 412)
})

t.test('on-demand instances count for maxCapacity', async (t) => {
  const { as, make } = await startFor(t, { maxCapacity: 5 })
  const id = await make('elastigroups', tagged('other'))
  const put = (onDemandCount: number) =>
    as('admin', 'PUT', `elastigroups/${id}?dryRun=true`, { strategy: { onDemandCount } })
  t.match(await put(6), {
    status: 422, json: { errors: [{ pointer: '#/strategy/onDemandCount', code: 'maxCapacity' }] }
  })
  t.equal((await put(5)).status, 412)
})

t.test('an unset risk is on demand, for all that spotOnly knows', async (t) => {
  const { as } = await startFor(t, { spotOnly: true })
  const statusOf = async (strategy: Json) => (await as('admin', 'POST', 'elastigroups?dryRun=true', {
    ...tagged('other'), strategy: { fallbackToOd: false, ...strategy }
  })).status
  t.strictSame(await Promise.all([{}, { risk: null }, { risk: 99 }, { risk: 100 }].map(statusOf)), [422, 422, 422, 412])
})

t.test('a body that may end instances needs allowDelete', async (t) => {
  const { as, calls } = await startFor(t)
  const detachment = { instancesToDetach: ['i-0a1b2c3d4e5f60718'] }
  const started = { originalInstanceId: 'i-0a1b2c3d4e5f60718', region: 'us-east-1' }
  const state = (state: string) => [{ id: 'smi-1', state: 'PAUSE' }, { id: 'smi-2', state }]
  const rows: [method: string, path: string, body: unknown, pointer: string | undefined][] = [
    ...['DELETE', 'TERMINATE', 'pause', ' RESUME', ''].map((word): typeof rows[number] =>
      ['PUT', 'instances/state', state(word), '#/1/state']),
    ['PUT', 'instances/state', state('RESUME'), undefined],
    ...[true, null, undefined].flatMap((ends): typeof rows => [
      ['POST', 'instances/imports', { ...started, shouldTerminateInstance: ends }, '#/shouldTerminateInstance'],
      ['POST', 'elastigroups/sig-1/detach', { ...detachment, shouldTerminateInstances: ends },
        '#/shouldTerminateInstances']
    ]),
    ['POST', 'instances/imports', { ...started, shouldTerminateInstance: false }, undefined],
    ['POST', 'elastigroups/sig-1/detach', { ...detachment, shouldTerminateInstances: false }, undefined]
  ]
  for (const [method, path, body, pointer] of rows) {
    const what = `${method} ${path} ${JSON.stringify(body)}`
    for (const caller of names) {
      const { status, json } = await as(caller, method, path, body)
      const may = caller !== 'reader' && (pointer === undefined || rights[caller].allowDelete)
      t.equal(status === 403, !may, `${caller} ${what}`)
      if (caller === 'writer' && pointer) t.match(json, { hint: /must be/, errors: [{ pointer, code: 'delete' }] }, what)
      t.equal(calls().length > 0, may)
    }
  }
})

t.test('hundreds of unknown fields cannot hide from the audit what a body asks for', async (t) => {
  const { as, make, lastLine } = await startFor(t)
  const id = await make('elastigroups', group)
  const junk = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`x${i}`, i]))
  const body = { ...junk, capacity: { ...junk, target: 3 }, strategy: { ...junk, risk: null }, password: 'hidden' }
  await as('admin', 'PUT', `elastigroups/${id}`, body)
  const { changes, bodyHash } = lastLine() as unknown as { changes: Json[], bodyHash: string }
  t.strictSame(changes.slice(0, 2), [
    { pointer: '#/capacity/target', value: 3 }, { pointer: '#/strategy/risk', value: null }
  ])
  t.strictSame([changes.length, changes.at(-1)], [201, { pointer: '#', value: '(703 more)' }])
  t.equal(bodyHash, hash('sha256', JSON.stringify({ ...body, password: '(masked)' })))

  const detachment = { ...junk, instancesToDetach: ['i-1'], shouldTerminateInstances: true }
  await as('admin', 'POST', 'elastigroups/sig-1/detach', detachment)
  t.strictSame(lastLine().changes[0], { pointer: '#/shouldTerminateInstances', value: true })
  const tasks = Array.from({ length: 250 }, () => ({ taskType: 'scale', scaleTargetCapacity: 1 }))
  const up = [{ action: { type: 'updateCapacity', target: 999 } }]
  await as('admin', 'PUT', `elastigroups/${id}?dryRun=true`, { ...junk, scheduling: { tasks }, scaling: { up } })
  t.match(lastLine().changes.find(({ pointer }) => pointer === '#/scaling/up/0/action/target'), { value: 999 })
  const states = Array.from({ length: 1000 }, (_, i) => ({ id: `smi-${i}`, state: i === 999 ? 'DELETE' : 'PAUSE' }))
  await as('admin', 'PUT', 'instances/state?dryRun=true', states)
  t.strictSame(lastLine().changes.slice(-2), [
    { pointer: '#/999/id', value: 'smi-999' }, { pointer: '#/999/state', value: 'DELETE' }
  ], 'a thousand instances are all named')
  const imported = { ...junk, originalInstanceId: 'i-1', region: 'us-east-1' }
  await as('admin', 'POST', 'instances/imports?dryRun=true', imported)
  t.strictSame(lastLine().changes[0], { pointer: '#/originalInstanceId', value: 'i-1' })
  await as('admin', 'PUT', `elastigroups/${id}/capacity`, { ...junk, target: null })
  t.strictSame(lastLine().changes[0], { pointer: '#/target', value: null })
  await as('admin', 'POST', 'instances/smi-1/pause')
  t.equal('bodyHash' in lastLine(), false, 'without a body there is none')
})

t.test('neither the audit nor the log has a key or a token, wherever a caller puts it', async (t) => {
  const { as, audit, log, request: ask } = await startFor(t)
  const key = keyOf('admin')
  const token = `$2b$10$${'x'.repeat(53)}`
  const hidden = [...key].map((letter) => `%${letter.charCodeAt(0).toString(16)}`).join('')
  const body = { ...group, name: `a ${key}`, [key]: 1, more: { [`x-${token}`]: [token] } }
  const rows: [method: string, path: string, body?: Json, headers?: Record<string, string>][] = [
    ...[key, hidden, token, encodeURIComponent(token)].flatMap((secret): typeof rows => [
      ['POST', `demo/elastigroups?token=${secret}`, group], ['POST', `demo/elastigroups?${secret}=1`, group],
      ['PUT', `demo/elastigroups/${secret}`, { name: 'x' }], ['POST', `${secret}/elastigroups`, group],
      ['DELETE', `demo/elastigroups/sig-1?shouldDeleteVolumes=${secret}`]
    ]),
    ['POST', 'demo/elastigroups', body], ['POST', 'demo/elastigroups', group, { 'x-request-id': key }]
  ]
  const statuses = new Set<number>()
  for (const [method, path, body, headers] of rows) {
    const reply = await ask(method, `/v1/spot/${path}`, { body, headers: { ...headers } })
    statuses.add(reply.status)
  }
  await as('reader', 'POST', `elastigroups?key=${key}`, group)
  t.strictSame([...statuses].sort(), [201, 400, 404])
  t.equal(audit().length, rows.length + 1)
  for (const line of [...audit().map((line) => JSON.stringify(line)), ...log]) {
    t.notOk(line.includes(key) || line.includes(token), line)
  }
  t.match(audit()[0], { options: { token: '(masked)' }, outcome: 'invalid-request' }, 'what it is shows')
  t.equal(audit().at(-2)?.requestId, '(masked)')
})

t.test('a client that loses its rights while its body arrives gets 401 or 403', async (t) => {
  const { app, url, calls, request: ask, lastLine } = await startFor(t)
  const path = `/v1/spot/${ACCOUNT}/elastigroups`
  const passed = async () =>
    Number(/spot_api_auth_total\{result="valid"\} (\d+)/.exec((await ask('GET', '/v1/spot/metrics')).text)?.[1] ?? 0)
  const { clients } = app.configuration
  const others = clients.filter(({ name }) => name !== 'writer')
  const changes: [string, Client[], number][] = [
    ['as it was', clients.map((client) => ({ ...client })), 201],
    ['removed', others, 401],
    ['with another key', [...others, { ...client('writer'), keys: ['another-key-of-it'] }], 401],
    ['expired', [...others, { ...client('writer'), expires: 1 }], 401],
    ['reading only', [...others, { ...client('writer'), access: 'read' }], 403],
    ['in no account', [...others, { ...client('writer'), accounts: ['else'] }], 403]
  ]
  for (const [what, next, expected] of changes) {
    app.reload.apply({ ...app.configuration, clients })
    const before = await passed()
    const body = JSON.stringify(group)
    const sent = request(url + path, {
      method: 'POST',
      headers: { 'x-auth-token': tokens.writer, 'x-auth-client': 'writer', 'content-length': Buffer.byteLength(body) }
    })
    sent.write(body.slice(0, 10))
    await until(async () => await passed() > before)
    app.reload.apply({ ...app.configuration, clients: next })
    sent.end(body.slice(10))
    const [{ statusCode }] = await once(sent, 'response')
    t.equal(statusCode, expected, what)
    t.equal(calls().length, expected === 201 ? 1 : 0)
    t.match(lastLine(), { status: expected, client: 'writer' })
  }
})
