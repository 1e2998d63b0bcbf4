import { once } from 'node:events'
import { Agent, get as httpGet, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { document } from '../openapi/document.js'
import { TOKEN } from './keys.js'
import { DRAIN, DRAINED, run, spot } from './process.js'
import { until } from './until.js'

const { examples } = document.components as unknown as { examples: Record<string, { value: object }> }
const headers = { 'x-auth-token': TOKEN, 'content-type': 'application/json' }

async function start (t: Test, drainSeconds: number, settings = {}) {
  const { sandbox, configuration } = await spot(t, {
    sandbox: { seed: false, rateLimit: Infinity }, settings: { drainSeconds, ...settings }
  })
  const server = run(t, ['--config', 'a.json'], { files: { 'a.json': configuration }, obeys: true })
  const [, url = ''] = await server.prints(/listening at (http:[^"]+)/)
  return {
    ...server,
    url,
    sandbox,
    refuses: () => until(() => get(`${url}/v1/spot/ping`).then(() => false, ({ code }) => code === 'ECONNREFUSED')),
    /** A create that is under way at Spot when this resolves, until it is let go. */
    async create () {
      let letGo = () => {}
      const latency = new Promise<void>((resolve) => { letGo = resolve })
      sandbox.faults.inject({ method: 'POST', latency })
      const body = JSON.stringify(examples.ElastigroupCreateExample?.value)
      const answer = fetch(`${url}/v1/spot/real/elastigroups`, { method: 'POST', headers, body })
      const status = answer.then((response) => response.status, () => 'lost')
      await until(() => sandbox.transcript.some(({ method }) => method === 'POST'))
      return { status, letGo, transcript: sandbox.transcript }
    }
  }
}

/** One GET on a connection of this agent; without one, on a new connection. */
async function get (url: string, agent?: Agent) {
  const [response] = await once(httpGet(url, { agent: agent ?? false }), 'response') as [IncomingMessage]
  const { statusCode, headers: { connection } } = response
  return { status: statusCode, connection, text: await text(response) }
}

async function open (url: string) {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  await once(socket, 'connect')
  return socket
}

// A process takes most of a second to start: several at once.
t.jobs = 4

t.test('SIGTERM: not ready at once, but requests are answered until drainSeconds are over', async (t) => {
  const { url, kill, prints, does, refuses, ends } = await start(t, DRAIN)
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.teardown(() => agent.destroy())
  t.match(await get(`${url}/v1/spot/ready`, agent), { status: 200, connection: 'keep-alive' })
  const spare = await open(url)
  kill('SIGTERM')
  await prints(/"signal":"SIGTERM","msg":"shutting down"/)

  t.match(await get(`${url}/v1/spot/ping`, agent), { status: 200, connection: 'close' }, 'on a connection kept alive')
  t.match(await get(`${url}/v1/spot/ready`), { status: 503, connection: 'close', text: /:not-ready"/ })
  t.match(await get(`${url}/v1/spot/ping`), { status: 200, connection: 'close' }, 'on a new connection')
  spare.write('GET /v1/spot/ping HTTP/1.1\r\nHost: localhost\r\n\r\n')
  t.match(await text(spare), /^HTTP\/1.1 200 OK[^]+connection: close[^]+pong$/i, 'on one that was open before')
  await does(DRAINED)
  const { code, errors } = await ends()
  t.strictSame({ code, errors }, { code: 0, errors: '' })
  await refuses()
})

/** Writes whose callers hang up; `npm run chaos` sends more. */
const WRITES = process.env.CHAOS === 'full' ? 200 : 8

t.test('writes whose callers hung up are carried out, logged and audited before the server ends', async (t) => {
  const { url, sandbox, kill, prints, ends } = await start(t, 0, { audit: 'stdout' })
  let letGo = () => {}
  const latency = new Promise<void>((resolve) => { letGo = resolve })
  sandbox.faults.inject({ method: 'POST', latency, times: Infinity })
  const body = JSON.stringify(examples.ElastigroupCreateExample?.value)
  const head = `POST /v1/spot/real/elastigroups HTTP/1.1\r\nHost: a\r\nX-Auth-Token: ${TOKEN}\r\n` +
    `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`
  const arrived = () => sandbox.transcript.filter(({ method }) => method === 'POST').length
  // The first answer tells that there is no limit: until then ten may be under way.
  for (let sent = 0; sent < WRITES; sent += 8) {
    const sockets = await Promise.all(Array.from({ length: 8 }, () => open(url)))
    for (const socket of sockets) socket.on('error', () => {}).write(head + body)
    await until(() => arrived() >= sent + 8)
    for (const socket of sockets) socket.resetAndDestroy()
  }
  kill('SIGTERM')
  await prints(/"signal":"SIGTERM","msg":"shutting down"/)
  letGo()
  const { code, output } = await ends()
  t.equal(code, 0)
  const lines = output.split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line))
  t.equal(sandbox.transcript.filter(({ committed }) => committed).length, WRITES, 'none was cut')
  t.equal(lines.filter(({ audit, outcome }) => audit === 'createElastigroup' && outcome === 'done').length, WRITES)
  t.equal(lines.filter(({ msg }) => msg === 'caller hung up before its answer').length, WRITES)
})

t.test('a create under way is answered after the drain, though SIGTERM comes again and again', async (t) => {
  const { url, kill, does, refuses, create, prints, ends } = await start(t, DRAIN)
  const { status, letGo } = await create()
  kill('SIGTERM')
  await prints(/"msg":"shutting down"/)
  for (let times = 0; times < 3; times++) {
    kill('SIGTERM')
    t.equal((await get(`${url}/v1/spot/ping`)).status, 200)
  }
  await does(DRAINED)
  await refuses()
  kill('SIGTERM')
  await does('')
  letGo()
  t.equal(await status, 201)
  t.match(await ends(), { code: 0, errors: '' })
})

t.test('idle connections do not delay the shutdown', async (t) => {
  const { url, kill, ends } = await start(t, 0)
  await open(url)
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => agent.destroy())
  await get(`${url}/v1/spot/ping`, agent)
  kill('SIGTERM')
  t.match(await ends(), { code: 0, errors: '' })
})

t.test('a request that has arrived in part when the server stops listening is answered', async (t) => {
  const { url, kill, does, refuses, ends } = await start(t, 0)
  const [socket, spare] = [await open(url), await open(url)]
  socket.write('GET /v1/spot/ping HTTP/1.1\r\n')
  await does('')
  await get(`${url}/v1/spot/ping`) // which came later than that part
  const looked = once(spare, 'close') // the server looks for connections that ask nothing, and ends them
  kill('SIGTERM')
  await Promise.all([refuses(), looked])
  socket.write('Host: localhost\r\n\r\n')
  t.match(await text(socket), /^HTTP\/1.1 200 OK[^]+connection: close[^]+pong$/i)
  t.match(await ends(), { code: 0, errors: '' })
})

/** For a server that obeys: time stands still, so two signals come in the same millisecond, however long it takes. */
const STAND_STILL = 'at = performance.now(); performance.now = () => at'

t.test('Ctrl-C skips the drain, but waits for a create under way', async (t) => {
  const { kill, create, prints, does, refuses, ends } = await start(t, DRAIN)
  const { status, letGo } = await create()
  await does(STAND_STILL)
  kill('SIGINT')
  await prints(/"signal":"SIGINT","msg":"shutting down"/)
  kill('SIGINT') // as npm passes it on
  await does('')
  await refuses()
  letGo()
  t.equal(await status, 201)
  t.match(await ends(), { code: 0, errors: '' })
})

t.test('a second Ctrl-C ends the server at once', async (t) => {
  const { kill, create, prints, does, ends } = await start(t, DRAIN)
  const { status, transcript } = await create()
  await does(STAND_STILL)
  kill('SIGINT')
  await prints(/"msg":"shutting down"/)
  await does('performance.now = () => at + 700')
  kill('SIGINT')
  t.match(await ends(), { code: 130, errors: '' })
  t.equal(await status, 'lost')
  t.equal(transcript.at(-1)?.status, undefined, 'Spot is still at it')
})

const SECRET = 'canary-of-a-secret'
/** As an expression: stacks name the module it stands in, which is its text. */
const secret = "'canary-of-' + 'a-secret'"
const error = `Object.assign(new Error('of a test'), { authorization: ${secret} })`
const thrown: Record<string, string> = {
  'errors nobody catches, one after another': `(function again () { setImmediate(again); throw ${error} })()`,
  'a rejection nobody catches': `Promise.reject(Object.assign(new Error('of a test'), { options: ${secret} }))`,
  'something thrown that is no error': `throw { authorization: ${secret} }`
}
for (const [name, javascript] of Object.entries(thrown)) {
  t.test(`${name}: a create under way is answered, the end is a failure, the log has no secret`, async (t) => {
    const { url, prints, does, create, refuses, ends } = await start(t, DRAIN)
    const { status, letGo } = await create()
    await does(javascript)
    await prints(/"msg":"shutting down after an error"/)
    t.match(await get(`${url}/v1/spot/ready`), { status: 503, text: /:not-ready"/ })
    await does(DRAINED)
    await refuses()
    letGo()
    t.equal(await status, 201)
    const { code, output, errors } = await ends()
    t.strictSame({ code, errors }, { code: 1, errors: '' })
    t.match(output, /of a test|a value of type object was thrown/)
    t.notMatch(output, SECRET)
    t.ok(output.split('\n').length < 50, 'the log does not fill up')
  })
}
