import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { document } from '../openapi/document.js'
import type { Fault } from '../services/sandbox/index.js'
import { ACCOUNT, start, TOKEN, type Gateway } from './helper.js'

const { examples } = document.components as unknown as { examples: Record<string, { value: object }> }
const groups = `/v1/spot/${ACCOUNT}/elastigroups`
const REQUEST_ID = 'the-one-that-hung-up'

/** Sends a create and destroys the socket as soon as `sent` is true. */
async function createAndHangUp ({ url }: Pick<Gateway, 'url'>, sent: () => boolean) {
  const { hostname, port } = new URL(url)
  const body = JSON.stringify(examples.ElastigroupCreate?.value)
  const socket = connect(Number(port), hostname)
  await once(socket, 'connect')
  socket.write([
    `POST ${groups} HTTP/1.1`, 'Host: localhost', `X-Auth-Token: ${TOKEN}`, `X-Request-Id: ${REQUEST_ID}`,
    'Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`, '', body
  ].join('\r\n'))
  await until(sent)
  socket.destroy()
}

async function until (condition: () => boolean) {
  while (!condition()) await sleep(5)
}

const rows: [string, { fault: Fault, want: { status: number, committed: boolean } }][] = [
  ['is finished, and the log tells how it ended', { fault: {}, want: { status: 201, committed: true } }],
  ['and that Spot answers with an error, is logged with the status of its problem', {
    fault: { status: 503 }, want: { status: 504, committed: false }
  }],
  ['and whose answer from Spot is lost, is logged as unknown', {
    fault: { kind: 'reset', commit: 'first' }, want: { status: 504, committed: true }
  }]
]

for (const [name, { fault, want: { status, committed } }] of rows) {
  t.test(`a create whose caller hangs up ${name}`, async (t) => {
    const { sandbox, ...gateway } = await start(t, { sandbox: { seed: false } })
    sandbox.faults.inject({ method: 'POST', latency: 300, ...fault })
    const linesOfRequest = () => gateway.log.map((line) => JSON.parse(line))
      .filter(({ requestId }) => requestId === REQUEST_ID)

    await createAndHangUp(gateway, () => sandbox.transcript.length === 1)
    t.strictSame(linesOfRequest(), [], 'the caller is gone before it ended')
    await until(() => linesOfRequest().length > 0)

    t.strictSame(sandbox.transcript.map(({ method, committed }) => ({ method, committed })), [
      { method: 'POST', committed }
    ], 'Spot got it once')
    t.match(linesOfRequest(), [
      { level: 30, msg: 'caller hung up before its answer', operationId: 'createElastigroup', status }
    ])
    t.equal((await gateway.request('GET', groups)).json.length, committed ? 1 : 0)
    t.equal(linesOfRequest().length, 1, 'one line, as for every request')
  })
}
