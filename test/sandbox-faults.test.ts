import t from 'tap'
import type { Fault } from '../sandbox/index.js'
import { group, startClient } from './sandbox-client.js'
import { until } from './until.js'

t.test('every kind of fault reaches the client, and the operation is carried out if the fault says so', async (t) => {
  const sandbox = await startClient(t)
  const post = () => sandbox.call('POST', '/aws/ec2/group', group())
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
    t.equal((await sandbox.call('GET', '/aws/ec2/group')).status, 200)
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
      const before = (await sandbox.call('GET', '/aws/ec2/group')).items.length
      sandbox.faults.inject({ method: 'POST', ...fault })
      await meet()
      t.match(sandbox.transcript.at(-1), { ...record, body: { group: { name: 'fleet' } } })
      const after = (await sandbox.call('GET', '/aws/ec2/group')).items.length
      t.equal(after - before, record.committed ? 1 : 0)
    })
  }
})

t.test('a late commit happens after the connection was dropped', async (t) => {
  const sandbox = await startClient(t)
  let commit = () => {}
  const lateBy = new Promise<void>((resolve) => { commit = resolve })
  sandbox.faults.inject({ kind: 'reset', commit: 'late', lateBy })
  await t.rejects(sandbox.call('POST', '/aws/ec2/group', group()))
  t.strictSame((await sandbox.call('GET', '/aws/ec2/group')).items, [])
  commit()
  t.equal((await sandbox.call('GET', '/aws/ec2/group')).items.length, 1)
  t.match(sandbox.transcript[0], { method: 'POST', status: undefined, committed: true })
})

t.test('an invalid body is refused under a fault that commits, too', async (t) => {
  const sandbox = await startClient(t)
  sandbox.faults.inject({ status: 504, commit: 'first' })
  await sandbox.call('POST', '/aws/ec2/group', { group: {} })
  t.match(sandbox.transcript, [{ status: 504, committed: false }])
})

t.test('a fault without a kind only delays the answer', async (t) => {
  const sandbox = await startClient(t)
  for (const commit of ['none', 'first'] as const) {
    let over = () => {}
    const latency = new Promise<void>((resolve) => { over = resolve })
    sandbox.transcript.length = 0
    sandbox.faults.inject({ method: 'POST', latency, commit, headers: { 'x-slow': commit } })
    const answer = sandbox.call('POST', '/aws/ec2/group', group())
    await until(() => sandbox.transcript.length > 0)
    t.equal((await sandbox.call('GET', '/aws/ec2/group')).status, 200, 'others are answered')
    t.match(sandbox.transcript[0], { status: undefined, committed: commit === 'first' }, `commit: ${commit}`)
    over()
    t.match(await answer, { status: 200, items: [{ name: 'fleet' }] })
    t.equal((await answer).headers.get('x-slow'), commit)
  }
})

t.test('a latency in milliseconds passes in real time', async (t) => {
  const sandbox = await startClient(t)
  sandbox.faults.inject({ latency: 30 })
  const begun = performance.now()
  await sandbox.call('GET', '/aws/ec2/group')
  // No upper bound: only an answer too early is a fault, and none is so by being slow. A timer may be 1 ms early.
  t.ok(performance.now() - begun >= 28)
})

t.test('a fault affects the calls it matches, as often as it says', async (t) => {
  const sandbox = await startClient(t, { seed: true })
  const statuses = async (...paths: string[]) => {
    const all = []
    for (const path of paths) all.push((await sandbox.call('GET', path)).status)
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

t.test('AWS throttling and other errors can be injected as faults', async (t) => {
  const client = await startClient(t)
  const cases = [
    { code: 'RequestLimitExceeded', message: 'Request limit exceeded.' },
    { code: 'CANT_CREATE_GROUP', message: 'Failed to create group' }
  ]
  for (const entry of cases) {
    client.faults.inject({ method: 'POST', path: '/aws/ec2/group', errors: [entry] })
    const { status, response } = await client.call('POST', '/aws/ec2/group', group())
    t.equal(status, 400)
    t.strictSame(response, { status: { code: 400, message: 'Bad Request' }, errors: [entry] })
  }
  client.faults.inject({ status: 409, errors: cases })
  t.strictSame((await client.call('GET', '/aws/ec2/group')).errors, cases)
  t.strictSame(await client.get('/aws/ec2/group'), [], 'nothing was created')
})

t.test('closing the sandbox ends a connection that hangs', async (t) => {
  const sandbox = await startClient(t)
  sandbox.faults.inject({ kind: 'hang' })
  const hanging = t.rejects(sandbox.call('GET', '/aws/ec2/group'))
  await until(() => sandbox.transcript.length > 0)
  await sandbox.close()
  await hanging
  await t.rejects(fetch(sandbox.url), 'and nobody listens any more')
})
