import { connect } from 'node:net'
import t from 'tap'
import { startSandbox } from '../sandbox/index.js'
import { group, START, startClient } from './sandbox-client.js'
import type { Answer } from './sandbox-client.js'

const TWO_ACCOUNTS = [{ id: 'act-00000001', token: 'one' }, { id: 'act-00000002', token: 'two' }]

t.test('a read answers 200 with the vendor\'s envelope and nothing else', async (t) => {
  const sandbox = await startClient(t, { seed: true })
  const { status, headers, request, response, items } = await sandbox.call('GET', '/aws/ec2/group')
  t.equal(status, 200)
  t.match(headers.get('content-type'), /^application\/json/)
  t.strictSame(Object.keys(request), ['id', 'url', 'method', 'timestamp'])
  t.match(request, { url: '/aws/ec2/group', method: 'GET', timestamp: '2026-03-10T12:00:00.000Z' })
  t.strictSame(Object.keys(response), ['status', 'kind', 'items', 'count'])
  t.match(response, { status: { code: 200, message: 'OK' }, kind: 'spotinst:aws:ec2:group', count: 4 })
  t.strictSame(items.map((item) => item.name), ['web-frontend', 'batch-workers', 'ci-runners', 'search-index'])
})

t.test('an action is answered with the status alone, without items', async (t) => {
  const sandbox = await startClient(t, { seed: true })
  const { status, response } = await sandbox.call('DELETE', '/aws/ec2/group/sig-0f3ac1d2')
  t.equal(status, 200)
  t.strictSame(response, { status: { code: 200, message: 'OK' } })
})

t.test('a call is refused with the right status', async (t) => {
  const sandbox = await startClient(t, { accounts: TWO_ACCOUNTS })
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
    const answer = await sandbox.call('GET', path, undefined, init)
    t.equal(answer.status, status, name)
    t.match(answer.response, { status: { code: status }, errors: [{ code, message: String }] }, name)
    t.ok(answer.headers.has('x-ratelimit-remaining'), `${name}: rate limit headers`)
  }
  t.equal(sandbox.transcript.length, cases.length)
})

t.test('accounts do not see one another\'s groups', async (t) => {
  const sandbox = await startClient(t, { accounts: TWO_ACCOUNTS })
  const { id } = await sandbox.create('/aws/ec2/group', group())
  const other = { headers: { authorization: 'Bearer two' } }
  const answer = await sandbox.call('GET', `/aws/ec2/group/${id}?accountId=act-00000002`, undefined, other)
  t.equal(answer.errors[0]?.code, 'GROUP_DOESNT_EXIST')
})

t.test('a body that is no JSON is answered in plain text', async (t) => {
  const sandbox = await startClient(t)
  const answer = await sandbox.call('POST', '/aws/ec2/group', undefined, { body: '{"group":' })
  t.equal(answer.status, 400)
  t.match(answer.headers.get('content-type'), /^text\/plain/)
  t.equal(answer.text, 'Bad Request')
})

t.test('a body over 4 MiB is refused', async (t) => {
  const sandbox = await startClient(t)
  const answer = await sandbox.call('POST', '/aws/ec2/group', group({ description: 'x'.repeat(4 * 1024 * 1024) }))
  t.equal(answer.status, 413)
  t.match(sandbox.transcript, [{ status: 413, committed: false }])
})

t.test('the rate limit counts per organization, route and method', async (t) => {
  const sandbox = await startClient(t, { accounts: TWO_ACCOUNTS, rateLimit: 2, seed: true })
  const remaining = async (method: string, path: string, init?: RequestInit) => {
    const { headers } = await sandbox.call(method, path, undefined, init)
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

t.test('beyond the rate limit comes the vendor\'s odd 429, and further calls extend the block', async (t) => {
  const sandbox = await startClient(t, { rateLimit: 3 })
  const ask = () => sandbox.call('GET', '/aws/ec2/group')
  const usage = ({ status, headers }: Answer) => [
    status, ...['limit', 'remaining', 'reset'].map((name) => headers.get(`x-ratelimit-${name}`))
  ]
  for (const remaining of ['2', '1', '0']) {
    t.strictSame(usage(await ask()), [200, '3', remaining, '60'])
  }
  sandbox.clock.advance(30_000)
  const blocked = await ask()
  t.strictSame(usage(blocked), [429, '3', '0', '30'])
  t.strictSame(blocked.response, { status: { code: 429, message: 'Too Many Requests' }, data: 'Rate limit exceeded' })
  await ask()
  t.strictSame(usage(await ask()), [429, '3', '0', '60'], 'three calls while blocked fill the window anew')
  sandbox.clock.advance(59_000)
  t.strictSame(usage(await ask()), [429, '3', '0', '1'])
  sandbox.clock.advance(1_000)
  t.strictSame(usage(await ask()), [200, '3', '1', '59'], 'the block ends when it said it would')
})

t.test('the transcript shows each call as it was on the wire', async (t) => {
  const sandbox = await startClient(t)
  const path = '/aws/ec2/group/a%2Fb?name=x&name=y'
  await sandbox.call('PUT', path, { group: { a: null } })
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

t.test('dot segments reach the transcript unchanged', async (t) => {
  const sandbox = await startClient(t)
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

t.test('a sandbox that takes the port of one that was just closed is reached at once', async (t) => {
  let port = 0
  for (let i = 0; i < 4; i++) {
    const sandbox = await startSandbox({ seed: false, port })
    t.teardown(() => sandbox.close())
    port = Number(new URL(sandbox.url).port)
    for (let calls = 0; calls < 2; calls++) {
      const reply = await fetch(`${sandbox.url}/_sandbox/clock`)
      t.match(await reply.json(), { now: String })
    }
    await sandbox.close()
  }
})
