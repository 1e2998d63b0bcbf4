import t, { type Test } from 'tap'
import { document, operationsOf } from '../openapi/document.js'
import type { Fault } from '../sandbox/index.js'
import { start, type GatewayOptions, type Reply } from './helper.js'
import { until } from './until.js'
import { validCall } from './valid-calls.js'

const groups = '/v1/spot/demo/elastigroups'
const group = { name: 'x', strategy: {}, capacity: { minimum: 0, target: 0, maximum: 1 }, compute: {} }
const MARKER = 'spot-api:idempotency-key'

async function startQuiet (t: Test, options: GatewayOptions = {}) {
  const gateway = await start(t, { sandbox: { rateLimit: Infinity }, ...options })
  const { request, sandbox } = gateway
  return {
    ...gateway,
    create: (key: string, body: object = group, path = groups): Promise<Reply> =>
      request('POST', path, { body, headers: { 'idempotency-key': key } }),
    posts: () => sandbox.transcript.filter(({ method }) => method === 'POST'),
    lists: () => sandbox.transcript.filter(({ method, path }) => method === 'GET' && /group$/.test(path)),
    /** Groups that Spot has with this name. */
    async named (name: string) {
      return (await request('GET', `${groups}?name=${name}`)).json.length
    },
    async events (): Promise<Record<string, number>> {
      const { text } = await request('GET', '/v1/spot/metrics')
      return Object.fromEntries([...text.matchAll(/^spot_api_idempotency_total\{event="([\w-]+)"\} (\d+)$/gm)]
        .map(([, event, count]) => [event, Number(count)]))
    }
  }
}

const replayed = ({ headers }: Reply) => headers['idempotency-replayed']

t.test('a repeated key gets the first reply again, to the byte, for everything that can be created', async (t) => {
  const { request, sandbox, posts } = await startQuiet(t)
  sandbox.clock.advance(20 * 60_000) // the seeded instances run by then
  const [some] = (await request('GET', groups)).json
  const keyed = operationsOf(document)
    .filter(({ parameters }) => parameters.some(({ name }) => name === 'Idempotency-Key'))
  t.strictSame(keyed.map(({ operation }) => operation.operationId),
    ['createElastigroup', 'createRoll', 'createInstance', 'createImport'])
  for (const { path, operation } of keyed) {
    const url = path.replace('{account}', 'demo').replace('{elastigroup}', some.id)
    const { body } = validCall(operation)
    const ask = () => request('POST', url, { body, headers: { 'idempotency-key': operation.operationId } })
    const before = sandbox.transcript.filter(({ committed }) => committed).length
    const first = await ask()
    t.equal(first.status, 201, operation.operationId)
    t.equal(replayed(first), undefined)
    for (const again of [await ask(), await ask()]) {
      t.strictSame([again.status, again.text, again.headers.location], [201, first.text, first.headers.location])
      t.equal(replayed(again), 'true')
    }
    t.equal(sandbox.transcript.filter(({ committed }) => committed).length, before + 1, 'Spot was asked once')
  }
  t.notMatch(JSON.stringify(posts()), 'createElastigroup', 'the key itself is not sent to Spot')
})

t.test('a key is 1 to 255 visible characters, bare or quoted', async (t) => {
  const { create, posts } = await startQuiet(t)
  for (const [bare, quoted] of [['k', '"k"'], ['a"b\\c', '"a\\"b\\\\c"'], ['x'.repeat(255), `"${'x'.repeat(255)}"`]]) {
    const first = await create(bare as string)
    t.equal(first.status, 201)
    t.equal((await create(quoted as string)).text, first.text, `${bare} and ${quoted} are one key`)
  }
  const before = posts().length
  const tooLong = 'x'.repeat(256)
  for (const key of ['', '""', '"', 'a b', '"a b"', tooLong, `"${tooLong}"`, '"a"b"', 'a, b', 'ü', 'a\tb']) {
    const { status, json } = await create(key)
    t.match({ status, json }, { status: 400, json: { errors: [{ parameter: 'idempotency-key' }] } }, key.slice(0, 9))
  }
  t.equal(posts().length, before)
})

t.test('a key belongs to one request of one caller in one account', async (t) => {
  const { create, sandbox, posts } = await startQuiet(t)
  const body = { ...group, description: 'd', compute: { launchSpecification: { monitoring: true, tags: [] } } }
  const first = await create('k', body)
  const { compute, ...rest } = body
  const { monitoring, tags } = compute.launchSpecification
  const shuffled = { compute: { launchSpecification: { tags, monitoring } }, ...rest }
  t.equal((await create('k', shuffled)).text, first.text, 'the order of keys is no difference')
  const instance = { name: 'x', region: 'us-east-1', compute: { subnetIds: [] } }
  for (const [other, path] of [
    [{ ...body, name: 'y' }, groups], [{ ...body, description: null }, groups], [instance, '/v1/spot/demo/instances']
  ] as const) {
    const { status, json } = await create('k', other, path)
    t.match({ status, json }, { status: 422, json: { type: /:idempotency-key-reused$/, hint: /new key/ } })
  }
  t.equal(posts().length, 1)
  t.ok(sandbox.transcript.every(({ headers }) => headers['idempotency-key'] === undefined))
})

t.test('a key belongs to the account id of Spot, whatever name the account has here', async (t) => {
  const token = 'vendor-token-for-tests'
  const sandbox = { accounts: ['act-5a9db0c5', 'act-5a9db0c6'].map((id) => ({ id, token })) }
  const { sandbox: { url: endpoint } } = await start(t, { sandbox })
  const accounts = {
    demo: { id: 'act-5a9db0c5', token, endpoint },
    renamed: { id: 'act-5a9db0c5', token, endpoint },
    prod: { id: 'act-5a9db0c6', token, endpoint }
  }
  const { request } = await start(t, { configuration: { accounts } })
  const ask = (account: string) =>
    request('POST', `/v1/spot/${account}/elastigroups`, { body: group, headers: { 'idempotency-key': 'k' } })
  const [demo, renamed, prod] = [await ask('demo'), await ask('renamed'), await ask('prod')]
  t.strictSame([demo.status, renamed.status, prod.status], [201, 201, 201])
  t.strictSame([renamed.text, replayed(renamed)], [demo.text, 'true'])
  t.equal(renamed.headers.location, `/v1/spot/renamed/elastigroups/${demo.json.id}`)
  t.not(demo.json.id, prod.json.id)
})

t.test('a stored reply is given again even under stricter guardrails, or while Spot is down', async (t) => {
  const { app, create, sandbox, request } = await startQuiet(t)
  sandbox.clock.advance(20 * 60_000) // the seeded instances run by then
  const [some] = (await request('GET', groups)).json
  const roll = { batchSizePercentage: 20, gracePeriod: 10 }
  const rolls = `${groups}/${some.id}/rolls`
  const first = [await create('k'), await create('r', roll, rolls)]
  t.strictSame(first.map(({ status }) => status), [201, 201])
  app.configuration.accounts.demo = { ...app.configuration.accounts.demo!, guardrails: { maxCapacity: 0 } as object }
  for (const method of ['GET', 'POST', 'PUT']) sandbox.faults.inject({ method, kind: 'reset', times: Infinity })
  t.equal((await create('another')).status, 422)
  for (const [index, again] of [await create('k'), await create('r', roll, rolls)].entries()) {
    t.strictSame([again.status, again.text, replayed(again)], [201, first[index]?.text, 'true'])
  }
})

t.test('a copy of a group does not carry its marker along, and a dry run shows none', async (t) => {
  const { create, request, posts } = await startQuiet(t)
  const first = await create('k')
  const { id, createdAt, updatedAt, ...copy } = first.json
  t.match(JSON.stringify(copy), MARKER)
  for (const key of ['copy', undefined]) {
    const headers: Record<string, string> = key ? { 'idempotency-key': key } : {}
    t.equal((await request('POST', groups, { body: copy, headers })).status, 201)
    const markers = JSON.stringify(posts().at(-1)?.body).split(MARKER).length - 1
    t.equal(markers, key ? 1 : 0)
  }
  t.notMatch(JSON.stringify(posts().slice(1)), first.json.compute.launchSpecification.tags[0].tagValue)
  const dry = await request('POST', `${groups}?dryRun=true`, { body: group, headers: { 'idempotency-key': 'dry' } })
  t.notMatch(dry.text, MARKER)
  const made = await create('dry')
  t.strictSame([made.status, replayed(made)], [201, undefined], 'it left the key alone')
})

t.test('fifty requests at once with one key make one create', async (t) => {
  const { create, sandbox, posts, named } = await startQuiet(t)
  sandbox.faults.inject({ method: 'POST', latency: 1000 })
  const replies = await Promise.all(Array.from({ length: 50 }, () => create('k')))
  t.equal(replies.filter((reply) => reply.status === 201 && !replayed(reply)).length, 1)
  t.ok(replies.some(({ status }) => status === 409), 'most come while it is under way')
  for (const { status, json, headers } of replies.filter(({ status }) => status !== 201)) {
    t.match({ status, type: json.type }, { status: 409, type: /:idempotency-key-in-use$/ })
    t.ok(Number(headers['retry-after']) > 0)
  }
  const [created] = replies.filter(({ status }) => status === 201)
  t.equal((await create('k')).text, created?.text, 'afterwards everyone gets the answer')
  t.strictSame([posts().length, await named('x')], [1, 1])
})

t.test('a create that Spot refused frees its key', async (t) => {
  const { create, sandbox, posts } = await startQuiet(t)
  const { capacity, ...incomplete } = group
  t.equal((await create('k', incomplete)).status, 400, 'by the contract')
  sandbox.faults.inject({ method: 'POST', errors: [{ code: 'InvalidSnapshot.NotFound', message: 'no' }] })
  t.equal((await create('k')).status, 400, 'by Spot')
  sandbox.faults.inject({ method: 'POST', status: 429, headers: { 'x-ratelimit-reset': '0' } })
  t.equal((await create('k')).status, 429, 'by the rate limit')
  sandbox.faults.inject({ method: 'POST', status: 401 })
  t.equal((await create('k')).status, 502, 'by the credentials')
  const made = await create('k', { ...group, name: 'another' })
  t.strictSame([made.status, replayed(made), made.json.name], [201, undefined, 'another'])
  t.equal(posts().length, 4)
})

t.test('a create whose answer was lost is found by its marker', async (t) => {
  const faults: Record<string, Fault> = {
    'reset after the create': { kind: 'reset', commit: 'first' },
    '504 after it': { status: 504, commit: 'first' },
    'a truncated answer': { kind: 'truncated' },
    'a failure that hides throttling': { errors: [{ code: 'CANT_CREATE_GROUP', message: 'no' }], commit: 'first' }
  }
  for (const [name, fault] of Object.entries(faults)) {
    const { create, sandbox, posts, named, log } = await startQuiet(t)
    sandbox.faults.inject({ method: 'POST', ...fault })
    const lost = await create('k')
    const wanted = name.startsWith('a failure') ? [503, /spot-create-failed/] : [504, /outcome-unknown/]
    t.match([lost.status, lost.json.type], wanted, name)
    t.match(lost.json.hint, /same key again/)
    const found = await create('k')
    t.strictSame([found.status, replayed(found), found.json.name], [201, 'true', 'x'])
    t.equal(found.headers.location, `${groups}/${found.json.id}`)
    t.equal((await create('k')).text, found.text)
    t.strictSame([posts().length, await named('x')], [1, 1])
    const [marker] = found.json.compute.launchSpecification.tags
    t.match(marker, { tagKey: MARKER, tagValue: /^[0-9a-f]{32}$/ })
    t.match(log.join('\n'), '"event":"unknown"')
  }
})

t.test('a create that never happened is sent again, after two searches', async (t) => {
  const { create, sandbox, posts, lists, named, events } = await startQuiet(t, { configuration: { settle: 300 } })
  sandbox.faults.inject({ method: 'POST', kind: 'reset' })
  t.equal((await create('k')).status, 504)
  const began = performance.now()
  const made = await create('k')
  t.strictSame([made.status, replayed(made)], [201, undefined], 'it is created now')
  t.ok(performance.now() - began > 250, 'not before the window is over')
  t.ok(lists().length >= 2)
  t.strictSame([posts().length, await named('x')], [2, 1])
  t.match(await events(), { unknown: 1, absent: 1, created: 1 })
})

t.test('a create that Spot carries out late is found, not repeated', async (t) => {
  const { create, sandbox, posts, named } = await startQuiet(t, { configuration: { settle: 600 } })
  sandbox.faults.inject({ method: 'POST', kind: 'reset', commit: 'late', lateBy: 200 })
  t.equal((await create('k')).status, 504)
  const found = await create('k')
  t.strictSame([found.status, replayed(found)], [201, 'true'])
  t.strictSame([posts().length, await named('x')], [1, 1])
})

t.test('a server that has no time to search twice says when to ask again', async (t) => {
  const hasty = { configuration: { settle: 5000, deadlines: { read: 500, write: 3000 } } }
  const { create, sandbox, posts } = await startQuiet(t, hasty)
  sandbox.faults.inject({ method: 'POST', kind: 'reset' })
  t.equal((await create('k')).status, 504)
  const { status, json, headers } = await create('k')
  t.match({ status, type: json.type, hint: json.hint }, { status: 504, type: /:outcome-unknown$/, hint: /same key/ })
  t.ok(Number(headers['retry-after']) >= 4)
  t.equal(posts().length, 1)
})

t.test('the outcome of a lost create is searched even if nobody asks again', async (t) => {
  const { create, sandbox, posts, events, lists } = await startQuiet(t, { configuration: { settle: 100 } })
  sandbox.faults.inject({ method: 'POST', kind: 'reset', commit: 'first' })
  sandbox.faults.inject({ method: 'POST', kind: 'reset' })
  for (const key of ['done', 'lost']) t.equal((await create(key)).status, 504)
  await until(async () => {
    const { found, absent } = await events()
    return found && absent
  })
  t.match(await events(), { unknown: 2, found: 1, absent: 1 })
  const looks = lists().length
  const [done, lost] = [await create('done'), await create('lost')]
  t.strictSame([done.status, replayed(done)], [201, 'true'])
  t.strictSame([lost.status, replayed(lost)], [201, undefined])
  t.ok(lists().length > looks, 'what was not found is looked for once more before it is sent again')
  t.equal(posts().length, 3)
})

t.test('two resources with one marker are reported as duplicates', async (t) => {
  const unswept = { configuration: { settle: 60_000 } }
  const { create, sandbox, request, log, posts } = await startQuiet(t, unswept)
  sandbox.faults.inject({ method: 'POST', kind: 'reset', commit: 'first' })
  t.equal((await create('k')).status, 504)
  await fetch(`${sandbox.url}/aws/ec2/group?accountId=act-5a9db0c5`, {
    method: 'POST',
    headers: { authorization: 'Bearer vendor-token-for-tests', 'content-type': 'application/json' },
    body: JSON.stringify(posts()[0]?.body)
  })
  const { status, json } = await create('k')
  t.match({ status, type: json.type }, { status: 409, type: /:duplicates-found$/ })
  const paths = (await request('GET', `${groups}?name=x`)).json.map(({ id }: { id: string }) => `${groups}/${id}`)
  for (const path of paths) t.match(json.hint, path)
  t.ok(log.some((line) => /"level":50/.test(line) && line.includes('duplicates') && line.includes(paths[0])))
  await request('DELETE', paths[0])
  t.strictSame((await create('k')).headers.location, paths[1], 'once somebody chose, that is the answer')
})

t.test('where creates carry no marker, a lost one is neither found nor repeated', async (t) => {
  const unmarked = await startQuiet(t)
  unmarked.app.configuration.accounts.demo = { ...unmarked.app.configuration.accounts.demo!, marker: false }
  const { create, sandbox, posts, request } = unmarked
  sandbox.faults.inject({ method: 'POST', kind: 'reset', commit: 'first' })
  for (const time of [1, 2]) {
    const { status, json } = await create('k')
    t.match({ status, hint: json.hint }, { status: 504, hint: /This key cannot find out.*new key/ }, `time ${time}`)
  }
  t.equal(posts().length, 1)
  t.notMatch(JSON.stringify(posts()), MARKER)

  const [some] = (await request('GET', groups)).json
  sandbox.clock.advance(20 * 60_000)
  sandbox.faults.inject({ method: 'PUT', kind: 'reset', commit: 'first' })
  const roll = { batchSizePercentage: 20, gracePeriod: 10 }
  for (const time of [1, 2]) {
    t.equal((await create('r', roll, `${groups}/${some.id}/rolls`)).status, 504, `a roll, time ${time}`)
  }
  t.equal(sandbox.transcript.filter(({ method }) => method === 'PUT').length, 1)
})

t.test('a create without a key is sent once', async (t) => {
  const { request, sandbox, posts } = await startQuiet(t)
  sandbox.faults.inject({ method: 'POST', kind: 'reset' })
  t.equal((await request('POST', groups, { body: group })).status, 504)
  t.equal(posts().length, 1)
  t.notMatch(JSON.stringify(posts()), MARKER)
})
