import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import t from 'tap'
import { problemType } from '../services/problems/index.js'
import { group as groupOf, groups } from './caller.js'
import { start, startGateway, TOKEN } from './helper.js'
import { connectTo, raw } from './raw-http.js'
import { until } from './until.js'

const group = groupOf('x')
/** No test waits as long. */
const PATIENT = { read: 600_000, write: 600_000 }

t.test('a caller that hangs up in the middle of a body is not logged as an error', async (t) => {
  const gateway = await start(t)
  const { app, log } = gateway
  const head = `POST ${groups} HTTP/1.1\r\nHost: a\r\nX-Auth-Token: ${TOKEN}\r\nContent-Length: 1000\r\n\r\n{`
  for (const leave of ['resetAndDestroy', 'destroy', 'end'] as const) {
    const served = once(app.server, 'request')
    const socket = connectTo(gateway).on('error', () => {})
    socket.write(head)
    const [request] = await served
    socket[leave]()
    await new Promise((resolve) => request.on('close', resolve))
  }
  await gateway.request('GET', '/v1/spot/ping') // what was to be done about them is done before this is answered
  t.strictSame([log.filter((line) => line.includes('"level":50')), gateway.sandbox.transcript], [[], []])
})

t.test('a request that arrives too slowly is answered 408', async (t) => {
  const gateway = await start(t)
  const { server } = gateway.app
  t.strictSame([server.headersTimeout, server.requestTimeout], [30_000, 30_000])
  // Node begins to look at its connections when it listens. Here it begins again, with less patience.
  Object.assign(server, { headersTimeout: 200, requestTimeout: 200, connectionsCheckingInterval: 50 }).emit('listening')
  const begun = `POST ${groups} HTTP/1.1\r\nHost: a\r\nX-Auth-Token: ${TOKEN}\r\n`
  for (const [bytes, drip] of [[begun, 'X: y\r\n'], [`${begun}Content-Length: 1000\r\n\r\n{`, ' ']] as const) {
    const reply = await raw(gateway, bytes, drip)
    t.equal(reply.status, 408)
    t.match(reply.json, { type: problemType('request-timeout'), requestId: reply.headers['x-request-id'] })
  }
  t.strictSame(gateway.sandbox.transcript, [])
})

t.test('requests beyond maxRequests are refused, except public ones', async (t) => {
  const held: ServerResponse[] = []
  let calls = 0
  const spot = createServer((_, response) => {
    calls++
    held.push(response)
  }).listen(0, '127.0.0.1')
  t.teardown(() => spot.close())
  await once(spot, 'listening')
  const endpoint = `http://127.0.0.1:${(spot.address() as AddressInfo).port}`
  const { request } = await startGateway(t, { endpoint, configuration: { maxRequests: 2, deadlines: PATIENT } })
  const answer = () => {
    for (const response of held.splice(0)) {
      response.setHeader('content-type', 'application/json').end('{"request":{},"response":{"items":[]}}')
    }
  }

  const slow = [request('GET', groups), request('GET', '/v1/spot/demo/instances')]
  await until(() => calls === 2)
  for (const [method, path] of [['GET', groups], ['POST', groups], ['GET', '/v1/spot/accounts']] as const) {
    const reply = await request(method, path, { body: method === 'POST' ? group : undefined })
    t.match(reply, { status: 503, headers: { 'retry-after': '1' }, json: { type: problemType('overloaded') } }, path)
    t.equal((await request(method, path, { token: null })).status, 401, 'strangers learn nothing of it')
  }
  for (const path of ['ping', 'ready', 'metrics', 'version', 'openapi.json', 'docs', 'docs/static/swagger-ui.css']) {
    t.equal((await request('GET', `/v1/spot/${path}`)).status, 200, path)
  }
  answer()
  for (const reply of await Promise.all(slow)) t.equal(reply.status, 200)
  t.equal(calls, 2)
  const next = request('GET', groups)
  await until(() => calls === 3)
  answer()
  t.equal((await next).status, 200, 'there is room again')
})

t.test('a caller that hangs up makes room for others', async (t) => {
  const gateway = await start(t, { configuration: { maxRequests: 12, deadlines: PATIENT } })
  const { request, sandbox } = gateway
  const list = `GET ${groups} HTTP/1.1\r\nHost: a\r\nX-Auth-Token: ${TOKEN}\r\n\r\n`
  const create = list.replace('GET', 'POST').replace('\r\n\r\n', '\r\nContent-Length: 1000\r\n\r\n{')
  // One over each connection, many at once over one, and one with a body that is not there yet; again until it is full.
  for (const [name, bytes] of Object.entries({ one: list, many: list.repeat(20), body: create })) {
    for (const leave of ['resetAndDestroy', 'destroy'] as const) {
      sandbox.faults.inject({ times: Infinity, method: 'GET', kind: 'hang' })
      const sockets: Socket[] = []
      do {
        const socket = connectTo(gateway).on('error', () => {})
        socket.write(bytes)
        sockets.push(socket)
      } while ((await request('GET', '/v1/spot/accounts')).status === 200)
      for (const socket of sockets) socket[leave]()
      await until(async () => (await request('GET', '/v1/spot/accounts')).status === 200)
      t.pass(`${name} ${leave}`)
      sandbox.faults.clear()
    }
  }
})
