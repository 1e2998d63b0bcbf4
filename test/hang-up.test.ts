import { once } from 'node:events'
import { createServer, get, type IncomingMessage } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { hashSync } from '@node-rs/bcrypt'
import t from 'tap'
import { document } from '../openapi/document.js'
import type { Fault } from '../sandbox/index.js'
import { ACCOUNT, KEY, start, startGateway, TOKEN, type Gateway } from './helper.js'
import { until } from './until.js'

const { examples } = document.components as unknown as { examples: Record<string, { value: object }> }
const groups = `/v1/spot/${ACCOUNT}/elastigroups`

/** Sends a create, hangs up as soon as `sent` is true, and resolves once the gateway has noticed. */
async function createAndHangUp ({ url, app }: Gateway, requestId: string, sent: () => boolean) {
  const { hostname, port } = new URL(url)
  const body = JSON.stringify(examples.ElastigroupCreateExample?.value)
  const socket = connect(Number(port), hostname)
  const [[atGateway]] = await Promise.all([once(app.server, 'connection'), once(socket, 'connect')])
  socket.write([
    `POST ${groups} HTTP/1.1`, 'Host: localhost', `X-Auth-Token: ${TOKEN}`, `X-Request-Id: ${requestId}`,
    'Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`, '', body
  ].join('\r\n'))
  await until(sent)
  const noticed = once(atGateway, 'close')
  socket.destroy()
  await noticed
}

const rows: [string, { fault: Fault, want: { status: number, committed: boolean } }][] = [
  ['is finished, and the log tells how it ended', { fault: {}, want: { status: 201, committed: true } }],
  ['and gets an error of Spot is logged with the status of its problem', {
    fault: { status: 503 }, want: { status: 504, committed: false }
  }],
  ['and loses the answer of Spot is logged as unknown', {
    fault: { kind: 'reset', commit: 'first' }, want: { status: 504, committed: true }
  }]
]

const { sandbox, ...gateway } = await start(t, { sandbox: { seed: false } })

for (const [index, [name, { fault, want: { status, committed } }]] of rows.entries()) {
  t.test(`a create whose caller hangs up ${name}`, async (t) => {
    const requestId = `hung-up-${index}`
    let letGo = () => {}
    const latency = new Promise<void>((resolve) => { letGo = resolve })
    sandbox.transcript.length = 0
    sandbox.faults.inject({ method: 'POST', latency, ...fault })
    const linesOfRequest = () => gateway.log.map((line) => JSON.parse(line))
      .filter((line) => line.requestId === requestId)
    const groupsThere = async () => (await gateway.request('GET', groups)).json.length
    const before = await groupsThere()

    await createAndHangUp(gateway, requestId, () => sandbox.transcript.some(({ method }) => method === 'POST'))
    t.strictSame(linesOfRequest(), [], 'the caller is gone before it ended')
    letGo()
    await until(() => linesOfRequest().length > 0)

    t.strictSame(sandbox.transcript.filter(({ method }) => method === 'POST').map(({ committed }) => committed),
      [committed], 'Spot got it once')
    t.match(linesOfRequest(), [
      {
        level: status >= 500 ? 40 : 30,
        msg: 'caller hung up before its answer',
        operationId: 'createElastigroup',
        status,
        problem: status >= 500 ? 'outcome-unknown' : undefined
      }
    ])
    t.equal(await groupsThere() - before, committed ? 1 : 0)
    t.equal(linesOfRequest().length, 1, 'one line, as for every request')
  })
}

t.test('a write whose caller hung up while its token was checked is not sent once the server has ended', async (t) => {
  const { sandbox, ...gateway } = await start(t, { sandbox: { seed: false } })
  const { app } = gateway
  const { close } = app.state
  const linesOf = (form: RegExp) => gateway.log.filter((line) => form.test(line))
  // The state is closed last: what comes meanwhile comes after every write was waited for.
  app.state.close = async () => {
    await until(() => linesOf(/"hung-up-late"/).length > 0 || sandbox.transcript.length > 0)
    await close.call(app.state)
  }
  const { hostname, port } = new URL(gateway.url)
  const socket = connect(Number(port), hostname)
  const [[atGateway]] = await Promise.all([once(app.server, 'connection'), once(socket, 'connect')])
  const token = hashSync(KEY, 12) // its check takes longer than to close the server
  const request = once(app.server, 'request')
  socket.write([
    `DELETE ${groups}/sig-00000001 HTTP/1.1`, 'Host: localhost', `X-Auth-Token: ${token}`, 'X-Request-Id: hung-up-late',
    '', ''
  ].join('\r\n'))
  await request
  const noticed = once(atGateway, 'close')
  socket.destroy()
  await noticed
  await app.close()
  t.strictSame(sandbox.transcript, [])
  t.match(linesOf(/"hung-up-late"/).map((line) => JSON.parse(line)), [{ status: 503 }])
})

t.test('a caller that reads a large answer slowly gets all of it, though the server shuts down', async (t) => {
  const name = 'x'.repeat(32 * 1024 * 1024) // more than what lies between the two can hold
  const spot = createServer((_, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ request: { id: 'a' }, response: { items: [{ id: 'sig-1', name }], count: 1 } }))
  }).listen(0, '127.0.0.1')
  t.teardown(() => spot.close())
  await once(spot, 'listening')
  const { port } = spot.address() as AddressInfo
  const { app, url } = await startGateway(t, { endpoint: `http://127.0.0.1:${port}` })
  const ask = async (path: string) => {
    const asked = get(`${url}${path}`, { agent: false, headers: { 'x-auth-token': TOKEN } })
    const [response] = await once(asked, 'response')
    return response as IncomingMessage
  }

  const slow = await ask(`${groups}/sig-1`)
  const ended = app.lifecycle.end(0)
  // By then it has begun to end, whether it answers or not.
  await ask('/v1/spot/ping').then((response) => response.resume(), () => {})
  let read = 0
  for await (const chunk of slow) read += chunk.length
  t.equal(read, Number(slow.headers['content-length']))
  await ended
})
