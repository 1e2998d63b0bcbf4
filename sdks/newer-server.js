// Stands for a server that is newer than its clients. In front of a real one, it adds a key that no client knows to
// each object of a reply, answers problems of a type that no client knows, and loses an answer now and then.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { buffer } from 'node:stream/consumers'

/** Unknown to every client. */
export const NEW_TYPE = 'urn:problem-type:spot-api:of-a-newer-server'
const NEW_KEY = 'ofANewerServer'

/** Seconds. In place of any other Retry-After, so that the programs end soon. */
const RETRY_AFTER = 1

/**
 * The first request of each kind gets PROBLEM instead of its answer, or where that is `cut`, only the beginning of it.
 * `passedOn`: the request is carried out nevertheless.
 */
const LOST = [
  { method: 'POST', path: /\/elastigroups$/, passedOn: true },
  { method: 'GET', path: /\/readiness$/, passedOn: false },
  { method: 'GET', path: /\/costs$/, cut: true }
]

const PROBLEM = {
  type: NEW_TYPE,
  title: 'Something that only newer servers say',
  status: 503,
  detail: 'The answer was lost on the way.',
  hint: 'Send the request again after Retry-After.',
  instance: '/v1/spot',
  requestId: '00000000-0000-4000-8000-000000000000'
}

/** A value with the new key in each of its objects. */
function extend (value) {
  if (Array.isArray(value)) return value.map(extend)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([key, one]) => [key, extend(one)])
  return { ...Object.fromEntries(entries), [NEW_KEY]: { since: 'tomorrow' } }
}

/** Headers of one connection, and of a body that is written anew. */
const NOT_PASSED_ON = ['host', 'connection', 'keep-alive', 'transfer-encoding', 'content-length', 'content-encoding']
const passedOn = (headers) => Object.fromEntries(
  Object.entries(headers).filter(([name]) => !NOT_PASSED_ON.includes(name)))

const newer = (status, json) => extend(status >= 400 ? { ...json, type: NEW_TYPE } : json)

/**
 * @param upstream address of the server behind it, such as `http://127.0.0.1:8080`
 * @returns its `url`, `close()`, and `faults()`: what the client did wrong about the answers that it lost
 */
export async function startNewerServer (upstream) {
  const lost = LOST.map((kind) => ({ ...kind, requests: [] }))

  async function pass ({ method, url, headers }, body) {
    return fetch(upstream + url, {
      method, headers: { ...passedOn(headers), 'accept-encoding': 'identity' }, body: body.length > 0 ? body : undefined
    })
  }

  const server = createServer(async (request, response) => {
    const arrived = performance.now()
    const body = await buffer(request)
    const { method, url, headers } = request
    const kind = lost.find(({ method: one, path }) => one === method && path.test(url.split('?')[0]))
    kind?.requests.push({ arrived, key: headers['idempotency-key'], body: body.toString() })
    const isLost = kind?.requests.length === 1
    if (isLost && !kind.cut) {
      if (kind.passedOn) await (await pass(request, body)).arrayBuffer()
      kind.answered = performance.now()
      response.writeHead(503, { 'content-type': 'application/problem+json', 'retry-after': RETRY_AFTER })
      response.end(JSON.stringify(extend(PROBLEM)))
      return
    }
    const reply = await pass(request, body)
    const text = await reply.text()
    const isJson = text !== '' && /json/.test(reply.headers.get('content-type') ?? '')
    const sent = passedOn(Object.fromEntries(reply.headers))
    if (sent['retry-after']) sent['retry-after'] = String(RETRY_AFTER)
    const answer = isJson ? JSON.stringify(newer(reply.status, JSON.parse(text))) : text
    response.writeHead(reply.status, sent)
    if (isLost) response.write(answer.slice(0, answer.length / 2), () => response.destroy())
    else response.end(answer)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')

  return {
    url: `http://127.0.0.1:${server.address().port}`,
    faults: () => lost.flatMap(({ method, path, requests: [first, second], answered = -Infinity }) => {
      const name = `${method} ${path.source.slice(2, -1)}`
      if (!second) return [`${name}: the answer was lost, and it was not sent again`]
      return [
        ...second.arrived - answered < RETRY_AFTER * 1000 - 10 ? [`${name}: sent again before Retry-After`] : [],
        ...second.key === first.key && second.body === first.body ? [] : [`${name}: another request was sent instead`]
      ]
    }),
    close: () => new Promise((resolve) => {
      server.close(resolve)
      server.closeAllConnections()
    })
  }
}
