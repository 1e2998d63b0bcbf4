import nodeHttp, { createServer, type RequestListener } from 'node:http'
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { problemType, type ProblemName } from '../services/problems/index.js'
import type { Call } from '../services/spot/call.js'
import { createClient } from '../services/spot/wire/client.js'
import { outcomes, type Outcome } from '../services/spot/wire/outcomes.js'
import { stopTime } from './clock.js'
import { startGateway, type Reply } from './helper.js'
import { until } from './until.js'

/** Starts a Spot that misbehaves: where it listens, and how many requests it has seen. */
type Start = (t: Test) => Promise<{ endpoint: string, requests: () => number }>
type Want = [status: number, problem: ProblemName | undefined, outcome: Outcome]
interface Row {
  /** What Spot does, as a sentence that begins with "Spot". */
  spot: string
  start: Start
  /** Of the GET of an Elastigroup, and of the POST of one. */
  read: Want
  write: Want
  /** Requests of one call that Spot sees; default: 1. */
  seen?: 0 | 1
  retryAfter?: string
  errors?: { code: string, message: string, pointer: string }[]
  upstream?: object
}

async function listen (t: Test, server: Server): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => sockets.add(socket.on('error', () => {})))
  t.teardown(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

const http = (listener: RequestListener): Start => async (t) => {
  let seen = 0
  const port = await listen(t, createServer((request, response) => {
    seen++
    request.resume().on('end', () => listener(request, response))
  }))
  return { endpoint: `http://127.0.0.1:${port}`, requests: () => seen }
}

const answer = (status: number, body: string | Buffer | object, headers: Record<string, string> = {}): Start =>
  http((_, response) => {
    response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers })
    response.end(typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body))
  })

const noHttp = (protocol: string, server: () => Server): Start => async (t) =>
  ({ endpoint: `${protocol}://127.0.0.1:${await listen(t, server())}`, requests: () => 0 })
const tcp = (protocol: string, meet: (socket: Socket) => void) => noHttp(protocol, () => createTcpServer(meet))
const noName: Start = async () => ({ endpoint: 'http://name.invalid', requests: () => 0 })
const closedPort: Start = async (t) => {
  const server = createTcpServer()
  const spot = { endpoint: `http://127.0.0.1:${await listen(t, server)}`, requests: () => 0 }
  await new Promise((resolve) => server.close(resolve))
  return spot
}

const html = { 'content-type': 'text/html' }
const text = { 'content-type': 'text/plain' }
const gzip = { 'content-encoding': 'gzip' }
const page = '<html><body><h1>Spot</h1></body></html>'
const envelope = (response: object) => ({ request: { id: 'r-1' }, response })
const item = envelope({ items: [{ id: 'sig-00000001' }] })
const refuse = (status: number, code: string) => answer(status, envelope({ errors: [{ code, message: 'no' }] }))
const limit = (reset?: string) =>
  answer(429, envelope({ data: 'no' }), reset === undefined ? {} : { 'x-ratelimit-reset': reset })
const same = (...want: Want) => ({ read: want, write: want })
const doubt = (status: number, problem: ProblemName, outcome: Outcome, ofWrite = outcome) =>
  ({ read: [status, problem, outcome] as Want, write: [504, 'outcome-unknown', ofWrite] as Want })
const unsent = { ...same(502, 'spot-unreachable', 'unsent'), seen: 0 as const }
const rejected = same(400, 'spot-rejected', 'rejected')
const createFailed = same(503, 'spot-create-failed', 'create-failed')
const notFound = same(404, 'resource-not-found', 'not-found')
const unauthorized = same(502, 'spot-credentials-rejected', 'unauthorized')
const forbidden = same(502, 'spot-credentials-rejected', 'forbidden')
const limited = same(429, 'spot-rate-limited', 'rate-limited')
const success = { read: [200, undefined, 'success'] as Want, write: [201, undefined, 'success'] as Want }
const interrupted = doubt(502, 'spot-unreachable', 'interrupted')
const timeout = doubt(504, 'spot-timeout', 'timeout')
const failed = doubt(502, 'spot-failed', 'failed')
const redirected = doubt(502, 'spot-unreadable', 'redirected')
const unreadable = doubt(502, 'spot-unreadable', 'unreadable')
const empty = doubt(404, 'resource-not-found', 'not-found', 'unreadable')

const faults = [
  { code: 'ValidationError', message: 'is required', field: 'group.capacity.target' },
  { code: 'ValidationError', message: 'is odd', field: 'group.compute.availabilityZones[0].name' },
  { code: 'Other', message: 'is a/b', field: 'group.a/b' }
]
const withoutPlace = ({ code, message }: { code: string, message: string }) => ({ code, message })
/** Places in the caller's body, which a read has not. */
const pointed = [
  { code: 'ValidationError', message: 'is required', pointer: '#/capacity/target' },
  { code: 'ValidationError', message: 'is odd', pointer: '#/compute/availabilityZones/0/name' },
  { code: 'Other', message: 'is a/b', pointer: '#/a~1b' }
]

const faulty = answer(400, envelope({ errors: faults }))
const heard = (status: number, errors: object[] = [{ code: String(status), message: 'no' }]) =>
  ({ status, requestId: 'r-1', errors })
const resetAtFirstByte = tcp('http', (socket) => { socket.once('data', () => socket.resetAndDestroy()) })
const half = http((_, response) => response.setHeader('content-length', 9).write('{', () => response.destroy()))

/** A server that every redirect leads to. Nobody may ever come. */
const elsewhere = await answer(200, item)(t)
const redirect = (status: number) => answer(status, '', { location: `${elsewhere.endpoint}/aws/ec2/group` })

/** By what is certain of a write: only in the last group may Spot have acted on it. */
const rows: Record<'nothing was sent' | 'Spot refused it' | 'Spot did it' | 'in doubt', Row[]> = {
  'nothing was sent': [
    { spot: 'refuses the connection', start: closedPort, ...unsent },
    { spot: 'has a name that does not exist', start: noName, ...unsent },
    { spot: 'never ends the TLS handshake', start: tcp('https', () => {}), ...unsent },
    { spot: 'breaks off the TLS handshake', start: tcp('https', (socket) => socket.destroy()), ...unsent },
    { spot: 'has no certificate', start: noHttp('https', () => createTlsServer({})), ...unsent },
    { spot: 'speaks no TLS', start: tcp('https', (socket) => socket.end('SSH-2.0-x\r\n')), ...unsent }
  ],
  'Spot refused it': [
    { spot: 'finds several faults', start: faulty, errors: pointed, upstream: heard(400, faults), ...rejected },
    { spot: 'fails to create', start: refuse(400, 'CANT_CREATE_GROUP'), retryAfter: '30', ...createFailed },
    { spot: 'knows no such group', start: refuse(400, 'GROUP_DOESNT_EXIST'), ...notFound },
    { spot: 'knows no such instance', start: refuse(400, 'MANAGED_INSTANCE_DOESNT_EXIST'), ...notFound },
    { spot: 'knows no such account', start: refuse(400, 'Account_DOESNT_EXIST'), ...unauthorized },
    { spot: 'says so in plain text', start: answer(400, 'Bad Request', text), upstream: { status: 400 }, ...rejected },
    { spot: 'gives one text', start: answer(400, envelope({ error: 'no' })), upstream: heard(400), ...rejected },
    { spot: 'gives odd errors', start: answer(400, envelope({ errors: [null, 'x', { code: 7 }] })), ...rejected },
    { spot: 'is throttled by AWS', start: refuse(400, 'Throttling'), retryAfter: '60', ...limited },
    { spot: 'rejects the token', start: refuse(401, 'Unauthorized'), ...unauthorized },
    { spot: 'forbids it', start: refuse(403, 'Forbidden'), ...forbidden },
    { spot: 'forbids it in HTML', start: answer(403, page, html), upstream: { status: 403 }, ...forbidden },
    { spot: 'answers 404 in its envelope', start: refuse(404, 'NotFound'), ...notFound },
    { spot: 'limits calls for a time', start: limit('41.2'), retryAfter: '42', upstream: heard(429), ...limited },
    { spot: 'limits calls until now', start: limit('0'), retryAfter: '1', ...limited },
    { spot: 'limits calls', start: limit(), retryAfter: '60', ...limited },
    { spot: 'limits calls and counts oddly', start: limit('soon'), retryAfter: '60', ...limited }
  ],
  'Spot did it': [
    { spot: 'does it', start: answer(200, item), ...success },
    { spot: 'answers in gzip', start: answer(200, gzipSync(JSON.stringify(item)), gzip), ...success }
  ],
  'in doubt': [
    { spot: 'resets the connection at the first byte', start: resetAtFirstByte, ...interrupted, seen: 0 },
    { spot: 'closes the connection at once', start: tcp('http', (socket) => socket.end()), ...interrupted, seen: 0 },
    { spot: 'resets after the request', start: http((request) => request.socket.resetAndDestroy()), ...interrupted },
    { spot: 'answers no HTTP', start: http((request) => request.socket.end('SSH-2.0-x\r\n\r\n')), ...interrupted },
    { spot: 'breaks off in the middle', start: half, ...interrupted },
    { spot: 'says gzip and sends none', start: answer(200, item, gzip), ...interrupted },
    { spot: 'never answers', start: http(() => {}), ...timeout },
    { spot: 'stops in the middle', start: http((_, response) => response.writeHead(200).write('{')), ...timeout },
    { spot: 'answers 500', start: refuse(500, 'InternalError'), ...failed },
    { spot: 'answers 500 and says throttled', start: refuse(500, 'Throttling'), ...failed },
    { spot: 'answers 502 in HTML', start: answer(502, page, html), upstream: { status: 502 }, ...failed },
    { spot: 'answers 503', start: answer(503, ''), ...failed },
    { spot: 'answers broken JSON', start: answer(200, '{"response":<<<'), ...unreadable },
    { spot: 'answers HTML', start: answer(200, page, html), ...unreadable },
    { spot: 'gives JSON a wrong type', start: answer(200, item, text), ...unreadable },
    { spot: 'answers JSON without response', start: answer(200, { items: [] }), ...unreadable },
    { spot: 'answers without items', start: answer(200, envelope({ status: { code: 200 } })), ...unreadable },
    { spot: 'answers with no item', start: answer(200, envelope({ items: [] })), ...empty },
    { spot: 'answers with no object', start: answer(200, envelope({ items: [null, 1] })), ...empty },
    { spot: 'answers 204', start: answer(204, ''), ...unreadable },
    { spot: 'answers 201', start: answer(201, item), ...unreadable },
    { spot: 'is not there but a page is', start: answer(404, page, html), ...unreadable },
    ...[301, 302, 303, 307, 308].map((status) =>
      ({ spot: `redirects with ${status}`, start: redirect(status), ...redirected }))
  ]
}

const outcomeRow = (outcome: Outcome) => outcome === 'success' ? undefined : outcomes[outcome]

/** Times that a read is sent which ends so. */
const attemptsOf = (outcome: Outcome) => (outcomeRow(outcome)?.again ?? 'never') === 'never' ? 1 : 3

const all = Object.entries(rows).flatMap(([certainty, group]) => group.map((row) => ({ ...row, certainty })))

t.test('each behaviour of Spot leads to its status, problem, retries, metric and log', async (t) => {
  const spots = await Promise.all(all.map(async (row, index) => ({ ...row, index, server: await row.start(t) })))
  const accounts = Object.fromEntries(spots.map(({ index, server: { endpoint } }) =>
    // One for each call: an account has few retries to spend.
    ['GET', 'POST'].map((method) =>
      [`${method}${index}`, { id: 'act-5a9db0c5', token: 'vendor-token-for-tests', endpoint }])).flat())
  const { request, log } = await startGateway(t, {
    configuration: { accounts, logLevel: 'debug', deadlines: { read: 20_000, write: 20_000 } }
  })

  const measured: Record<string, number> = {}
  const logged: Record<string, number> = {}
  const replies = new Map<string, Reply>()
  const time = stopTime(t)
  let over = false
  const calls = Promise.all(spots.map(async ({ spot, index, server, certainty, seen = 1, ...row }) => {
    const calls = [
      ['GET', '/sig-00000001', 'getElastigroup', row.read, undefined],
      ['POST', '', 'createElastigroup', row.write, { name: 'x', strategy: {}, capacity: {}, compute: {} }]
    ] as const
    let sent = 0
    for (const [method, suffix, operation, [status, problem, outcome], body] of calls) {
      const reply = await request(method, `/v1/spot/${method}${index}/elastigroups${suffix}`, { body })
      const call = `Spot ${spot}: ${method}`
      replies.set(call, reply)
      t.equal(reply.status, status, `${call}: status`)
      t.equal(reply.json.type, problem && problemType(problem), `${call}: problem`)
      sent += seen * (body ? 1 : attemptsOf(outcome))
      t.equal(server.requests(), sent, `${call}: Spot sees a write once at most`)
      t.equal(reply.headers['retry-after'], row.retryAfter, `${call}: Retry-After`)
      const errors = body ? row.errors : row.errors?.map(withoutPlace)
      if (errors) t.strictSame(reply.json.errors, errors, `${call}: errors`)
      if (row.upstream) t.strictSame(reply.json.upstream, row.upstream, `${call}: upstream`)
      if (body) t.equal(problem === 'outcome-unknown', certainty === 'in doubt', `${call}: unknown only when in doubt`)
      const attempts = body && outcome !== 'unsent' ? 1 : attemptsOf(outcome)
      logged[`${method}${index} ${operation} ${outcome}`] = attempts
      const labels = `calls="${body ? 'writes' : 'reads'}",outcome="${outcome}"`
      measured[labels] = (measured[labels] ?? 0) + attempts
    }
  })).finally(() => { over = true })
  // Where Spot keeps silent, time must pass: in small steps, between which all others have their turns.
  await until(() => {
    if (!over) time.tick(100)
    return over
  })
  await calls
  t.equal(elsewhere.requests(), 0, 'no redirect is followed')

  const { text } = await request('GET', '/v1/spot/metrics')
  const counted: Record<string, number> = {}
  const lines = text.matchAll(/^spot_api_upstream_requests_total\{(.*)\} ([1-9]\d*)$/gm)
  for (const [, labels = '', count] of lines) counted[labels] = (counted[labels] ?? 0) + Number(count)
  t.same(counted, measured, 'each attempt is measured')

  const ended: Record<string, number> = {}
  for (const { msg, account, operation, outcome } of log.map((line) => JSON.parse(line))) {
    const call = `${account} ${operation} ${outcome}`
    if (msg === 'call to Spot ended') ended[call] = (ended[call] ?? 0) + 1
  }
  t.same(ended, logged, 'and logged with its account and operation')

  const logOf = new Map(log.map((line) => JSON.parse(line)).map((line) => [line.requestId, line]))
  for (const [call, { status, headers, json }] of replies) {
    const { type, upstream } = json ?? {}
    const { level, problem, address, codes, ...line } = logOf.get(headers['x-request-id']) ?? {}
    t.equal(address, '127.0.0.1', `${call}: who asked`)
    t.equal(level, status >= 500 ? 40 : 30, `${call}: a warning if it is not the caller's fault`)
    t.equal(problem && problemType(problem), type, `${call}: the log names the problem`)
    t.equal(line.spotStatus, upstream?.status, `${call}: Spot's status`)
    t.equal(line.spotRequestId, upstream?.requestId, `${call}: Spot's name of the request`)
    const said = upstream?.errors?.map(({ code }: { code: string }) => code)
    if (said) t.strictSame(codes, [...new Set(said)], `${call}: and Spot's codes`)
    else if (problem === 'spot-unreachable') t.match(codes, [/^[A-Z][A-Z\d_]+$/], `${call}: or what the network did`)
  }
})

t.test('every outcome of the table happens in some row', async (t) => {
  const happened = new Set(all.flatMap(({ read, write }) => [read[2], write[2]]))
  happened.add('withheld') // once many calls failed: test/resilience.test.ts
  happened.add('expired') // no room in Spot's limit before the deadline: test/limit.test.ts
  happened.add('unannounced') // Redis cannot be told of a write: test/memory.test.ts
  t.strictSame([...happened].sort(), [...Object.keys(outcomes), 'success'].sort())
})

t.test('an answer larger than the limit is not read in full', async (t) => {
  let written = 0
  const mebibyte = Buffer.alloc(1024 * 1024, ' ')
  const endless = await http((request, response) => {
    const more = () => response.write(mebibyte, (error) => {
      written++
      if (!error && !request.socket.destroyed) more()
    })
    response.setHeader('content-type', 'application/json')
    more()
  })(t)
  const bomb = await answer(200, gzipSync(Buffer.alloc(70 * 1024 * 1024)), gzip)(t)
  for (const [{ endpoint, requests }, method, problem] of [
    [endless, 'GET', 'spot-unreadable'], [bomb, 'DELETE', 'outcome-unknown']
  ] as const) {
    const { request } = await startGateway(t, { endpoint })
    t.equal((await request(method, '/v1/spot/demo/elastigroups/x')).json.type, problemType(problem))
    t.equal(requests(), 1)
  }
  t.ok(written > 64 && written < 100, `${written} MiB were sent`)
})

t.test('each write opens a connection, since Spot may close a kept one at any time', async (t) => {
  let connections = 0
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.setHeader('content-type', 'application/json').end(JSON.stringify(item)))
  }).on('connection', () => { connections++ })
  const { request } = await startGateway(t, { endpoint: `http://127.0.0.1:${await listen(t, server)}` })
  for (const wanted of [1, 2, 3]) {
    await request('DELETE', '/v1/spot/demo/elastigroups/sig-00000001')
    t.equal(connections, wanted)
  }
  await request('GET', '/v1/spot/demo/elastigroups')
  await request('GET', '/v1/spot/demo/elastigroups')
  t.equal(connections, 4, 'reads share theirs')
})

t.test('of the forty options of got, Node gets only the three that a call needs', async (t) => {
  const { request } = await startGateway(t, await answer(200, item)(t))
  const sent = t.capture(nodeHttp, 'request', nodeHttp.request)
  await request('GET', '/v1/spot/demo/elastigroups')
  const names = sent().map(({ args: [, options = {}] }) => Object.keys(options).sort())
  t.strictSame(names, [['agent', 'headers', 'method']])
})

t.test('a write of a server that was frozen is not sent once its deadline has passed', async (t) => {
  const { endpoint, requests } = await answer(200, item)(t)
  const account = { id: 'act-5a9db0c5', token: 'vendor-token-for-tests', endpoint }
  const client = createClient('tests')
  t.teardown(() => client.close())
  const call: Call = {
    operation: 'createElastigroup',
    method: 'POST',
    path: ['aws', 'ec2', 'group'],
    body: {},
    expects: 'item',
    deadline: Infinity,
    fresh: false,
    client: '',
    reserved: false
  }
  const { now } = performance
  t.teardown(() => { performance.now = now })
  const sent = client.exchange(account, call, 60_000)
  performance.now = () => now.call(performance) + 120_000
  t.match(await sent.catch((error) => error), { outcome: 'expired', problem: 'spot-unreachable', calls: 0 })
  t.equal(requests(), 0)
  t.equal((await client.exchange(account, call, 60_000)).status, 200)
  t.equal(requests(), 1)
})
