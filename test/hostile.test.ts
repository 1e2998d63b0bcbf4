import { deepStrictEqual as deepEqual, doesNotMatch, notEqual } from 'node:assert/strict'
import { Agent, METHODS, request } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { document, operationsOf } from '../openapi/document.js'
import { faultsOfProblem } from './contract-check.js'
import { flooder, type Answers } from './flood.js'
import { KEY, start, TOKEN, type Reply } from './helper.js'
import { run, spot } from './process.js'
import { validCall } from './valid-calls.js'

/* Two experiments on this machine, bounded in time and count: CHAOS=full makes them longer. */

const full = process.env.CHAOS === 'full'
if (full) t.setTimeout(900_000)

const sorted = (numbers: number[]) => numbers.toSorted((a, b) => a - b)
const quantile = (numbers: number[], share: number) => sorted(numbers)[Math.floor(numbers.length * share)] as number
const median = (numbers: number[]) => quantile(numbers, 0.5)
const p99 = (numbers: number[]) => quantile(numbers, 0.99)
const shown = (numbers: number[]) => sorted(numbers).map((number) => number.toFixed(1)).join(' ')

/** Milliseconds that each of a caller's requests takes, one after the other, for some time. */
async function caller (url: string, agent: Agent, milliseconds: number): Promise<number[]> {
  const taken: number[] = []
  const end = performance.now() + milliseconds
  for (let from = performance.now(); from < end; from = performance.now()) {
    const status = await new Promise((resolve, reject) => {
      request(`${url}/v1/spot/accounts`, { agent, headers: { 'x-auth-token': TOKEN } })
        .on('response', (response) => { response.resume().on('end', () => resolve(response.statusCode)) })
        .on('error', reject).end()
    })
    if (status !== 200) throw new Error(`a right token was answered ${status}`)
    taken.push(performance.now() - from)
    await sleep(2)
  }
  return taken
}

/** Milliseconds that the gateway's event loop was late at the 99th percentile, since this was asked last. */
async function lag (url: string): Promise<number> {
  const text = await (await fetch(`${url}/v1/spot/metrics`)).text()
  return Number(/^nodejs_eventloop_lag_p99_seconds (\S+)$/m.exec(text)?.[1]) * 1000
}

interface Turn { p99: number, late: number }

/** What a caller with a right token met in turns of quiet, and of a flood from some addresses. */
async function floods (t: Test, addresses: number, turns: number) {
  const { configuration } = await spot(t, { settings: { trustedProxies: ['127.0.0.1'] } })
  const { prints } = run(t, ['--config', 'a.json'], { files: { 'a.json': configuration } })
  const [, url = ''] = await prints(/listening at (http:[^"]+)/)
  const flood = flooder(t)
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => agent.destroy())
  const milliseconds = full ? 200 : 100
  const measure = async (flooding: Promise<Answers>) => {
    await lag(url)
    const turn: Turn = { p99: p99(await caller(url, agent, milliseconds)), late: await lag(url) }
    return { turn, answers: await flooding }
  }

  await caller(url, agent, 500)
  const quiet: Turn[] = []
  const flooded: Turn[] = []
  const answers: Answers = {}
  for (let i = 0; i < turns; i++) {
    quiet.push((await measure(flood({ milliseconds, perSecond: 200, addresses }))).turn)
    const { turn, answers: some } = await measure(flood({ url, milliseconds, perSecond: 200, addresses }))
    flooded.push(turn)
    for (const [status, count] of Object.entries(some)) answers[status] = (answers[status] ?? 0) + count
  }
  t.comment(`the flood from ${addresses} address(es) was answered ${JSON.stringify(answers)}`)
  const summary = (name: string, numbers: number[]) => {
    t.comment(`${name}: median ${median(numbers).toFixed(1)} ms of ${shown(numbers)}`)
    return median(numbers)
  }
  return {
    answers,
    quiet: summary('p99 in quiet', quiet.map(({ p99 }) => p99)),
    flooded: summary('p99 in the flood', flooded.map(({ p99 }) => p99)),
    lateInQuiet: summary('event loop late in quiet', quiet.map(({ late }) => late)),
    late: summary('event loop late in the flood', flooded.map(({ late }) => late))
  }
}

/** Addresses, turns, statuses among the answers. Each address has some failures: many keep the server checking. */
const experiments: [number, number, string[]][] = [
  [1, full ? 50 : 20, ['401', '429']],
  ...full ? [[1000, 10, ['401']] satisfies [number, number, string[]]] : []
]

for (const [addresses, turns, statuses] of experiments) {
  t.test(`a flood of wrong tokens from ${addresses} address(es) does not slow down a right one`, async (t) => {
    const { quiet, flooded, lateInQuiet, late, answers } = await floods(t, addresses, turns)
    t.strictSame(statuses.filter((status) => !answers[status]), [])
    const others = Object.keys(answers).filter((status) => !['401', '429', '503'].includes(status))
    t.strictSame(others, [], 'each is refused, none is lost')
    t.ok(flooded < 2 * quiet, `p99 is ${flooded.toFixed(1)} ms, ${quiet.toFixed(1)} ms in quiet`)
    // A machine that is busy with other things is late by itself.
    t.ok(late < Math.max(50, 2 * lateInQuiet), `the event loop is ${late.toFixed(1)} ms late`)
  })
}

/* Requests by chance. What fails is printed with the seed and the smallest example that fast-check finds. */

const REQUESTS = full ? 20_000 : 1500

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

t.test('whatever HTTP comes, the answer is as documented', async (t) => {
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
  const levels = log.map((line) => JSON.parse(line).level as number)
  t.notOk(levels.some((level) => level >= 40), 'no warning and no error in the log')
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

/** What the server sends back for bytes, before it closes the connection. */
async function exchange (port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1').setEncoding('latin1')
  let answer = ''
  const closed = new Promise((resolve) => socket.on('close', resolve))
  socket.on('data', (chunk) => { answer += String(chunk) }).on('error', () => {}).write(bytes, 'latin1')
  // Requests that are whole get their answer in this time; those that are not would be waited for.
  await Promise.race([closed, sleep(50)])
  socket.end()
  const inTime = await Promise.race([closed.then(() => true), sleep(5000, false)])
  socket.destroy()
  if (!inTime) throw new Error('the connection stayed open')
  return answer
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

t.test('whatever bytes come, the answer is a documented problem or none', async (t) => {
  const { app, log, request } = await start(t, { configuration: { logLevel: 'trace' } })
  const { port } = app.server.address() as AddressInfo
  const together = 10
  const numRuns = Math.round(REQUESTS / 3 / together)
  const statuses: Record<string, number> = {}
  const streams = fc.array(stream, { minLength: together, maxLength: together })
  await fc.assert(fc.asyncProperty(streams, async (streams) => {
    for (const answer of await Promise.all(streams.map((bytes) => exchange(port, bytes)))) {
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
