import { deepStrictEqual as deepEqual, doesNotMatch, notEqual } from 'node:assert/strict'
import { METHODS, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { document, operationsOf } from '../openapi/document.js'
import { faultsOfProblem } from './contract-check.js'
import { KEY, start, startGateway, TOKEN, type Gateway, type Reply } from './helper.js'
import { until } from './until.js'
import { validCall } from './valid-calls.js'

/* What strangers send: a flood of wrong tokens, odd requests, odd bytes. CHAOS=full sends many more. */

const full = process.env.CHAOS === 'full'
if (full) t.setTimeout(900_000)

t.test('in a flood of wrong tokens each is refused, and a valid one still works', async (t) => {
  const { request } = await startGateway(t, { configuration: { trustedProxies: ['127.0.0.1'] } })
  const from = (address: number) => ({ 'x-forwarded-for': `10.0.${address >> 8}.${address & 255}` })
  const ask = async (token: string, address: number) =>
    (await request('GET', '/v1/spot/accounts', { token, headers: from(address) })).status
  const wrong = (cost: string, i: number) => `$2b$${cost}$${'a'.repeat(21)}.${String(i).padEnd(31, '.')}`
  t.equal(await ask(TOKEN, 0), 200)
  // Each address has some failures: many keep the server checking.
  for (const [addresses, count] of full ? [[1, 1000], [500, 1000]] as const : [[1, 60]] as const) {
    const answers: Record<string, number> = {}
    const flood = Array.from({ length: count }, async (_, i) => {
      const token = [wrong('31', i), `garbage-${i}`, wrong('08', i), wrong('08', i)][i % 4] as string
      const status = await ask(token, i % addresses)
      answers[status] = (answers[status] ?? 0) + 1
    })
    for (let i = 0; i < 20; i++) t.equal(await ask(TOKEN, 0), 200)
    await Promise.all(flood)
    t.comment(`the flood from ${addresses} address(es) was answered ${JSON.stringify(answers)}`)
    t.strictSame(Object.keys(answers).filter((status) => !['401', '429', '503'].includes(status)), [])
    if (addresses === 1) t.equal(answers[401], count / 2 + 20, 'of those that may be hashes, twenty are checked')
  }
})

/* Requests by chance. What fails is printed with the seed and the smallest example that fast-check finds. */

const REQUESTS = full ? 20_000 : 450

/** What a stack trace of Node has, wherever it is written. */
const stackFrame = /\bat (?:async )?(?:\S+ )?\(?(?:file:|node:|\/)\S+:\d+:\d+|node_modules\//

const oneOf = fc.constantFrom
const printable = fc.string({ maxLength: 30 }).map((text) => text.replace(/[^!-~]/g, '.'))
const operations = operationsOf(document)

const long = fc.integer({ min: 100, max: 9000 }).map((length) => 'x'.repeat(length))
const odd = ['', '-', '.', '..', '%2e%2e', '%00', '%', '%zz', '%c3%28', '__proto__', 'toString', 'sig-1', 'smi-1']
const word = fc.oneof(
  { weight: 12, arbitrary: oneOf('demo') },
  { weight: 6, arbitrary: oneOf(...odd) },
  { weight: 3, arbitrary: printable },
  { weight: 3, arbitrary: printable.map(encodeURIComponent) },
  { weight: 3, arbitrary: fc.string({ unit: 'binary', maxLength: 9 }).map(encodeURIComponent) },
  { weight: 1, arbitrary: long }
)
const names = ['name', 'tag', 'start', 'end', 'createdAfter', 'shouldDeleteVolumes', 'process', '__proto__', 'a[]']
const query = fc.oneof(
  { weight: 3, arbitrary: oneOf('') },
  { weight: 1, arbitrary: oneOf('?', '?&&', '?=', '?%') },
  {
    weight: 3,
    arbitrary: fc.array(fc.tuple(fc.oneof(oneOf(...names), word), word), { maxLength: 4 })
      .map((pairs) => `?${pairs.map((pair) => pair.join('=')).join('&')}`)
  }
)
const methods = oneOf(...METHODS.filter((method) => method !== 'CONNECT'))
const operation = oneOf(...operations)
const words = fc.array(word, { minLength: 4, maxLength: 4 })

/** Method and path: of an operation, of a path that has others, or of any path. */
const target = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.tuple(operation, words).map(([{ method, path }, words]) => [method, filled(path, words)] as const)
  },
  {
    weight: 1,
    arbitrary: fc.tuple(methods, operation, words).map(([method, { path }, words]) => [method, filled(path, words)])
  },
  { weight: 1, arbitrary: fc.tuple(methods, fc.array(word, { maxLength: 6 }).map((words) => `/${words.join('/')}`)) }
)
const costly = `$2b$31$${'a'.repeat(53)}`
const token = oneOf<string | null>(TOKEN, TOKEN, TOKEN, TOKEN, null, '', KEY, costly, 'x'.repeat(9000))
const headers = fc.dictionary(
  fc.oneof(
    oneOf('content-type', 'accept', 'idempotency-key', 'x-request-id', 'x-forwarded-for', 'content-encoding', 'origin',
      'accept-encoding', 'if-none-match', 'range', 'cookie', 'authorization', 'x-http-method-override'),
    fc.stringMatching(/^x-[a-z]{1,9}$/)
  ),
  fc.oneof(oneOf('application/json', 'text/plain', 'gzip', 'bytes=0-', '*', 'multipart/form-data'), printable),
  { maxKeys: 4 }
)
const bodies = operations.flatMap(({ operation }) => {
  const { body } = validCall(operation)
  return body === undefined ? [] : [body as object]
})
const body = fc.oneof(
  oneOf(undefined, ...bodies),
  fc.tuple(oneOf(...bodies), fc.dictionary(printable, fc.jsonValue())).map(([valid, more]) => ({ ...valid, ...more })),
  fc.json(), fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 500 }).map((depth) => '['.repeat(depth))
)

function filled (template: string, words: string[]): string {
  let next = 0
  return template.replace(/\{\w+\}/g, () => words[next++ % words.length] as string)
}

t.test('any HTTP request, however odd, gets a documented answer', async (t) => {
  const { request, log } = await start(t, { configuration: { logLevel: 'trace' } })
  const numRuns = Math.round(REQUESTS * 2 / 3)
  const statuses: Record<string, number> = {}
  await fc.assert(fc.asyncProperty(target, query, token, headers, body, async (target, query, token, headers, body) => {
    const [method, path] = target as [string, string]
    const { status, text } = await request(method.toUpperCase(), path + query, { token, headers, body })
    statuses[status] = (statuses[status] ?? 0) + 1
    notEqual(status, 500)
    doesNotMatch(text, stackFrame)
  }), { numRuns })
  t.comment(`${numRuns} requests were answered ${JSON.stringify(statuses)}`)
  soundLog(t, log)
})

/** Every line is JSON, none tells of an error of ours, of a stack or of a token. */
function soundLog (t: Test, log: string[]): void {
  t.strictSame(log.filter((line) => JSON.parse(line).level >= 40), [], 'no warning and no error in the log')
  t.notMatch(log.join('\n'), stackFrame)
  t.notMatch(log.join('\n'), TOKEN)
}

const groups = '/v1/spot/demo/elastigroups'
const begin = `POST ${groups} HTTP/1.1\r\nHost: a\r\nX-Auth-Token: ${TOKEN}\r\n`
const whole = [
  'GET /v1/spot/ping HTTP/1.1\r\nHost: a\r\n\r\n',
  `GET ${groups} HTTP/1.1\r\nHost: a\r\nX-Auth-Token: ${TOKEN}\r\n\r\n`,
  `${begin}Content-Length: 2\r\n\r\n{}`,
  `${begin}Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
  `${begin}Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}`
]
const pieces = [
  'GET ', 'POST ', 'CONNECT a:1', ' HTTP/1.1\r\n', ' HTTP/1.0\r\n', ' HTTP/0.9\r\n', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  groups, '/', '*',
  '\r\n', '\r\n\r\n', '\n', '\r', '\0', ':', ' ', '\t', '\x16\x03\x01\x02\0\x01',
  'Host: a\r\n', 'Host: a\r\nHost: b\r\n', 'X-Auth-Token: ', TOKEN,
  ' folded: yes\r\n', `Long: ${'x'.repeat(20_000)}\r\n`,
  'Content-Length: 5\r\n', 'Content-Length: -1\r\n', 'Content-Length: 99999999999999999999\r\n',
  'Transfer-Encoding: chunked\r\n', 'Transfer-Encoding: gzip\r\n', 'Trailer: x\r\n',
  'ffffffffffffffff\r\n', '5;x=y\r\n', '0\r\nx: y\r\n\r\n',
  'Connection: close\r\n', 'Connection: Upgrade\r\nUpgrade: websocket\r\n'
]
const noise = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('latin1'))

/** A request that is right but for one place. */
const broken = fc.tuple(oneOf(...whole), fc.nat(), fc.nat({ max: 9 }), fc.oneof(noise, oneOf(...pieces)))
  .map(([request, place, length, instead]) => {
    const at = place % request.length
    return request.slice(0, at) + instead + request.slice(at + length)
  })
const stream = fc.array(fc.oneof(broken, oneOf(...whole), oneOf(...pieces), noise), { minLength: 1, maxLength: 6 })
  .map((parts) => parts.join(''))

/** Opens connections to a gateway, and knows of each what became of it. */
function connections (gateway: Gateway) {
  const { server } = gateway.app
  const { port } = server.address() as AddressInfo
  const theirs = new Map<number | undefined, Socket>()
  const open = new Map<Socket, Set<IncomingMessage>>()
  server.on('connection', (socket: Socket) => theirs.set(socket.remotePort, socket))
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const requests = open.get(request.socket) ?? new Set()
    open.set(request.socket, requests.add(request))
    response.on('close', () => requests.delete(request))
  })

  /** Sends bytes; `answered` once they are read, and each request that was whole among them has its answer. */
  function send (bytes: string) {
    const socket = connect(port, '127.0.0.1').setEncoding('latin1')
    let answer = ''
    let closed = false
    socket.on('data', (chunk) => { answer += String(chunk) }).on('error', () => {}).on('close', () => { closed = true })
    socket.write(bytes, 'latin1')
    const isAnswered = () => {
      const there = theirs.get(socket.localPort)
      return there !== undefined && there.bytesRead >= bytes.length &&
        ![...open.get(there) ?? []].some(({ complete }) => complete)
    }
    return {
      answered: () => until(() => closed || isAnswered()),
      /** What the server sent, once the caller has no more to say and the server has closed the connection. */
      async end () {
        socket.end()
        await until(() => closed)
        theirs.delete(socket.localPort)
        return answer
      }
    }
  }

  /** What the server sends back for each stream of bytes, before it closes the connection. */
  return async (streams: string[]) => {
    const sent = streams.map(send)
    await Promise.all(sent.map(({ answered }) => answered()))
    // A request that is not whole may have its answer, too: this one comes after it.
    await gateway.request('GET', '/v1/spot/accounts')
    return await Promise.all(sent.map(({ end }) => end()))
  }
}

/** The replies that stand one after the other in what a server sent; those to a HEAD have no body. */
function repliesIn (answer: string): Reply[] {
  const replies: Reply[] = []
  for (let rest = answer; rest !== '';) {
    const end = rest.indexOf('\r\n\r\n')
    const [first = '', ...lines] = rest.slice(0, end).split('\r\n')
    if (end < 0 || !/^HTTP\/1\.1 \d{3} /.test(first)) throw new Error(`this is no reply: ${rest.slice(0, 200)}`)
    const headers = Object.fromEntries(lines.map((line) => line.split(': ', 2))
      .map(([name = '', value]) => [name.toLowerCase(), value]))
    rest = rest.slice(end + 4)
    const length = rest.startsWith('HTTP/1.1 ') ? 0 : Number(headers['content-length'] ?? 0)
    const text = Buffer.from(rest.slice(0, length), 'latin1').toString()
    rest = rest.slice(length)
    const json = /json/.test(headers['content-type'] ?? '') && text !== '' ? JSON.parse(text) : undefined
    replies.push({ status: Number(first.slice(9, 12)), headers, text, json })
  }
  return replies
}

t.test('any bytes get a documented problem or no answer', async (t) => {
  const gateway = await start(t, { configuration: { logLevel: 'trace' } })
  const { log, request } = gateway
  const exchange = connections(gateway)
  const together = 10
  const numRuns = Math.round(REQUESTS / 3 / together)
  const statuses: Record<string, number> = {}
  const streams = fc.array(stream, { minLength: together, maxLength: together })
  await fc.assert(fc.asyncProperty(streams, async (streams) => {
    for (const answer of await exchange(streams)) {
      doesNotMatch(answer, stackFrame)
      for (const reply of repliesIn(answer)) {
        statuses[reply.status] = (statuses[reply.status] ?? 0) + 1
        notEqual(reply.status, 500)
        if (reply.status >= 300 && reply.text !== '') deepEqual(faultsOfProblem(reply), [])
      }
    }
  }), { numRuns })
  t.comment(`${numRuns * together} streams of bytes were answered ${JSON.stringify(statuses)}`)
  soundLog(t, log)
  t.equal((await request('GET', groups)).status, 200, 'and it still serves')
})
