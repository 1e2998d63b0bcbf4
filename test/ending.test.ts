import { once } from 'node:events'
import { Agent, get as httpGet, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { document } from '../openapi/document.js'
import { TOKEN } from './helper.js'
import { run, spot } from './process.js'

const { examples } = document.components as unknown as { examples: Record<string, { value: object }> }
const headers = { 'x-auth-token': TOKEN, 'content-type': 'application/json' }

/** Longer than any test: where it is drained after all, the test fails by its timeout. */
const FOR_EVER = 600

/** Milliseconds after which a second Ctrl-C is one of its own. */
const NOT_AN_ECHO = 700

async function start (t: Test, { drainSeconds, preload = '' }: { drainSeconds: number, preload?: string }) {
  const { sandbox, configuration } = await spot(t, { settings: { drainSeconds } })
  const server = run(t, ['--config', 'a.json'], { files: { 'a.json': configuration }, preload })
  const [, url = ''] = await server.prints(/listening at (http:[^"]+)/)
  return {
    ...server,
    url,
    /** A create that is under way at Spot, for so many milliseconds, when this resolves. */
    async createFor (latency: number) {
      sandbox.faults.inject({ method: 'POST', latency })
      const body = JSON.stringify(examples.ElastigroupCreate?.value)
      const answer = fetch(`${url}/v1/spot/real/elastigroups`, { method: 'POST', headers, body })
      const status = answer.then((response) => response.status, () => 'lost')
      while (!sandbox.transcript.some(({ method }) => method === 'POST')) await sleep(10)
      return { status, transcript: sandbox.transcript }
    }
  }
}

/** One GET on a connection of this agent; without one, on a new connection. */
async function get (url: string, agent?: Agent) {
  const [response] = await once(httpGet(url, { agent: agent ?? false }), 'response') as [IncomingMessage]
  const { statusCode, headers: { connection } } = response
  return { status: statusCode, connection, text: await text(response) }
}

const refused = (url: string) => get(url).then(() => false, ({ code }) => code === 'ECONNREFUSED')

// A process takes most of a second to start: several at once.
t.jobs = 4

t.test('SIGTERM: not ready at once, and everything is still answered until load balancers had time', async (t) => {
  const { url, kill, prints, ends } = await start(t, { drainSeconds: 2 })
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.teardown(() => agent.destroy())
  t.match(await get(`${url}/v1/spot/ready`, agent), { status: 200, connection: 'keep-alive' })
  kill('SIGTERM')
  await prints(/"signal":"SIGTERM","msg":"ending"/)

  t.match(await get(`${url}/v1/spot/ping`, agent), { status: 200, connection: 'close' }, 'on a connection kept alive')
  t.match(await get(`${url}/v1/spot/ready`), { status: 503, connection: 'close', text: /:not-ready"/ })
  t.match(await get(`${url}/v1/spot/ping`), { status: 200, connection: 'close' }, 'on a new connection')
  const { code, errors } = await ends()
  t.strictSame({ code, errors }, { code: 0, errors: '' })
  t.ok(await refused(`${url}/v1/spot/ping`), 'nobody listens any more')
})

t.test('a create under way when SIGTERM comes gets its answer, though it takes longer than the drain', async (t) => {
  const { kill, createFor, ends } = await start(t, { drainSeconds: 0.2 })
  const { status } = await createFor(1500)
  kill('SIGTERM')
  t.equal(await status, 201)
  t.match(await ends(), { code: 0, errors: '' })
})

t.test('a create under way is answered though SIGTERM comes again and again', async (t) => {
  const { kill, createFor, ends } = await start(t, { drainSeconds: 0.2 })
  const { status } = await createFor(2000)
  for (let times = 0; times < 4; times++) {
    kill('SIGTERM')
    await sleep(300)
  }
  t.equal(await status, 201)
  t.match(await ends(), { code: 0, errors: '' })
})

t.test('connections that ask nothing do not hold up the end', async (t) => {
  const { url, kill, ends } = await start(t, { drainSeconds: 0.2 })
  const { hostname, port } = new URL(url)
  const spare = connect(Number(port), hostname)
  await once(spare, 'connect')
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => agent.destroy())
  await get(`${url}/v1/spot/ping`, agent)
  kill('SIGTERM')
  t.match(await ends(), { code: 0, errors: '' })
})

t.test('a request of which a part is here when the server stops listening is answered', async (t) => {
  const { url, kill, ends } = await start(t, { drainSeconds: 0 })
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.write('GET /v1/spot/ping HTTP/1.1\r\n')
  await sleep(200)
  kill('SIGTERM')
  while (!await refused(`${url}/v1/spot/ping`)) await sleep(20)
  await sleep(300)
  socket.write('Host: localhost\r\n\r\n')
  t.match(await text(socket), /^HTTP\/1.1 200 OK[^]+connection: close[^]+pong$/i)
  t.match(await ends(), { code: 0, errors: '' })
})

t.test('Ctrl-C waits for no load balancer, but for a create under way', async (t) => {
  const { kill, createFor, ends } = await start(t, { drainSeconds: FOR_EVER })
  const { status } = await createFor(1000)
  kill('SIGINT')
  await sleep(50)
  kill('SIGINT') // as npm passes it on
  t.equal(await status, 201)
  t.match(await ends(), { code: 0, errors: '' })
})

t.test('a second Ctrl-C ends it at once', async (t) => {
  const { kill, createFor, ends } = await start(t, { drainSeconds: FOR_EVER })
  const { status, transcript } = await createFor(60_000)
  kill('SIGINT')
  await sleep(NOT_AN_ECHO)
  kill('SIGINT')
  t.match(await ends(), { code: 130, errors: '' })
  t.equal(await status, 'lost')
  t.equal(transcript.at(-1)?.status, undefined, 'Spot is still at it')
})

const SECRET = 'canary-of-a-secret'
/** As an expression: stacks name the module it stands in, which is its text. */
const secret = "'canary-of-' + 'a-secret'"
const thrown: Record<string, string> = {
  'an error nobody catches': `throw Object.assign(new Error('of a test'), { authorization: ${secret} })`,
  'a rejection nobody catches': `Promise.reject(Object.assign(new Error('of a test'), { options: ${secret} }))`,
  'something thrown that is no error': `throw { authorization: ${secret} }`,
  'one error after another': 'setInterval(() => { throw new Error("of a test") }, 1)'
}
for (const [name, javascript] of Object.entries(thrown)) {
  t.test(`${name}: a create under way is answered, the end is a failure, the log has no secret`, async (t) => {
    const preload = `process.on('SIGUSR2', () => { ${javascript} })`
    const { url, kill, prints, createFor, ends } = await start(t, { drainSeconds: 1, preload })
    const { status } = await createFor(1500)
    kill('SIGUSR2')
    await prints(/ending after an error/)
    t.match(await get(`${url}/v1/spot/ready`), { status: 503, text: /:not-ready"/ })
    t.equal(await status, 201)
    const { code, output, errors } = await ends()
    t.strictSame({ code, errors }, { code: 1, errors: '' })
    t.match(output, /"msg":"ending after an error"/)
    t.match(output, /of a test|no error but of type object/)
    t.notMatch(output, SECRET)
    t.ok(output.split('\n').length < 50, 'the log does not fill up')
  })
}
