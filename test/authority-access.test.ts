import { once } from 'node:events'
import { connect, type AddressInfo } from 'node:net'
import { isDeepStrictEqual } from 'node:util'
import { hashSync } from '@node-rs/bcrypt'
import t from 'tap'
import { validatorOf } from '../openapi/validators.js'
import type { SandboxOptions } from '../sandbox/index.js'
import type { Access, Client } from '../services/access/clients.js'
import { owner } from '../services/configuration/index.js'
import type { Configuration } from '../services/configuration/index.js'
import { KEY, start, TOKEN, type Gateway, type Reply, type RequestOptions } from './helper.js'

const GROUPS = '/v1/spot/demo/elastigroups'
const STATIC = '/v1/spot/docs/static'
const capacity = { target: 0, minimum: 0, maximum: 0 }
const group = { name: 'x', strategy: {}, region: 'us-east-1', capacity, compute: {} }

const clientOf = (name: string, access: Access): Client =>
  ({ name, keys: [`the-key-of-${name}-0`], accounts: ['demo'], access, allowDelete: access === 'admin' })
const clients = [owner(KEY), clientOf('reader', 'read'), clientOf('writer', 'write')]
const tokens = new Map([
  ['default', TOKEN], ...['reader', 'writer'].map((name) => [name, hashSync(`the-key-of-${name}-0`, 4)] as const)
])

type Ask = (caller: string | null, method: string, path: string, options?: RequestOptions) => Promise<Reply>
type Attacked = Gateway & { ask: Ask, sandbox: Awaited<ReturnType<typeof start>>['sandbox'] }

/** Who does what, and what has to come of it. `null` calls without a token. */
interface Attack {
  name: string
  sandbox?: SandboxOptions
  configuration?: Partial<Configuration>
  /** @returns what is compared with `want` */
  attack: (gateway: Attacked) => Promise<unknown>
  want: unknown
}

const problem = (status: number, name: string) => ({ status, json: { type: `urn:problem-type:spot-api:${name}` } })

/** Files of the docs page: without a token, and whatever is asked of them. */
const statics: [path: string, headers: Record<string, string>, want: object][] = [
  ['index.css', { 'if-match': '"x"' }, problem(400, 'invalid-request')],
  ['index.css', { 'if-unmodified-since': 'Thu, 01 Jan 1970 00:00:00 GMT' }, problem(400, 'invalid-request')],
  ['index.css', { range: 'bytes=999999-' }, problem(400, 'invalid-request')],
  ['index.css', { range: 'bytes=5-2' }, problem(400, 'invalid-request')],
  ['../x', {}, problem(404, 'route-not-found')],
  ['%2e%2e/x', {}, problem(404, 'route-not-found')],
  ['a%00b', {}, problem(400, 'malformed-request')]
]

const HOSTS = ['Host: a\r\nHost: b', 'Host: a\r\nhOST: a', 'HOST:\r\nhost:']
const NO_INTEGERS = [
  '99999999999999999999', '0x10', '1e1', '%201', '1.0', '%2B1', '0b1', '', 'Infinity', '1&adjustment=2']
const VENDOR = 'vendor-token-for-tests'
const ID = 'sig-1\r\nset-cookie: a=b'

const METRICS = '/v1/spot/metrics'
/** A key in hexadecimal digits can be the id of a trace. */
const HEX = 'deadbeefdeadbeefdeadbeefdeadbeef'
const bearer = (name: string) => ({ authorization: `Bearer ${tokens.get(name)}` })

const attacks: Attack[] = [
  {
    name: 'X-Request-Id comes back whether it has a secret in it or not: it tells nothing about a guess',
    async attack ({ ask }) {
      const guesses = [KEY, 'a-guess-that-is-wrong', VENDOR]
      const replies = await Promise.all(guesses.map((guess) =>
        ask(null, 'GET', '/v1/spot/ping', { headers: { 'x-request-id': guess } })))
      return replies.map(({ headers }, n) => headers['x-request-id'] === guesses[n])
    },
    want: [true, true, true]
  },
  {
    name: 'metrics that need a token are given to nobody without one, from the moment the setting says so',
    configuration: { metrics: 'token', deadlines: { read: 60_000, write: 60_000 } },
    async attack ({ ask, app }) {
      const wrong = hashSync('a key of nobody', 4)
      const asked = [
        ask(null, 'GET', METRICS),
        ask(null, 'GET', METRICS, { headers: { 'x-auth-token': wrong } }),
        ask(null, 'GET', METRICS, { headers: { authorization: `Bearer ${wrong}` } }),
        ask(null, 'GET', METRICS, { headers: { authorization: `Basic ${tokens.get('reader')}` } }),
        ask('reader', 'GET', METRICS),
        ask(null, 'GET', METRICS, { headers: bearer('reader') }),
        ask(null, 'GET', METRICS, { headers: { authorization: `bearer  ${tokens.get('reader')} ` } }),
        ask(null, 'GET', '/v1/spot/whoami', { headers: bearer('reader') }),
        ask(null, 'GET', '/v1/spot/ready')
      ]
      const statuses = (await Promise.all(asked)).map(({ status }) => status)
      for (const metrics of ['public', 'token'] as const) {
        app.reload.apply({ ...app.configuration, metrics })
        statuses.push((await ask(null, 'GET', METRICS)).status)
      }
      app.reload.apply({ ...app.configuration, clients: clients.filter(({ name }) => name !== 'reader') })
      statuses.push((await ask('reader', 'GET', METRICS)).status)
      return statuses
    },
    want: [401, 401, 401, 401, 200, 200, 200, 401, 200, 200, 401, 401]
  },
  {
    name: 'many reads of unknown ids leave a writer its share of the rate limit',
    sandbox: { rateLimit: 40 },
    configuration: { clients: clients.map((client) => ({ ...client, guardrails: { maxCapacity: 10 } })) },
    async attack ({ ask, sandbox }) {
      const path = (await ask('writer', 'POST', GROUPS, { body: group })).headers.location as string
      const reads: number[] = []
      for (let i = 0; i < 60; i++) reads.push((await ask('reader', 'GET', `${GROUPS}/sig-${i}`)).status)
      const { status } = await ask('writer', 'PUT', `${path}/capacity`, { body: capacity })
      const all = sandbox.transcript.filter(({ method }) => method === 'GET').length
      return { last: reads.at(-1), write: status, all: all < 40 }
    },
    want: { last: 429, write: 200, all: true }
  },
  {
    name: 'no request for a file of the docs page is answered 500',
    async attack ({ ask, log }) {
      const replies = await Promise.all(statics.map(([path, headers]) =>
        ask(null, 'GET', `${STATIC}/${path}`, { headers })))
      return { replies, errors: log.filter((line) => line.includes('"level":50')) }
    },
    want: { replies: statics.map(([, , want]) => want), errors: [] }
  },
  ...['POST', 'GET'].map((method): Attack => ({
    name: `an id of Spot with a line end, ${method}`,
    async attack ({ ask, sandbox, log }) {
      sandbox.faults.inject({ method, status: 200, body: { response: { items: [{ ...group, id: ID }] } } })
      const options = method === 'POST' ? { body: group } : {}
      const { status, headers, json } = await ask('writer', method, GROUPS, options)
      const errors = log.filter((line) => line.includes('"level":50'))
      return { status, type: json.type, cookie: headers['set-cookie'], errors }
    },
    want: method === 'POST'
      ? { status: 504, type: /:outcome-unknown$/, cookie: undefined, errors: [] }
      : { status: 200, cookie: undefined, errors: [] }
  })),
  {
    name: 'a client that is removed while its body arrives is refused',
    attack: (gateway) => whileBodyArrives(gateway, ({ app }) => {
      app.reload.apply({ ...app.configuration, clients: clients.filter(({ name }) => name !== 'writer') })
    }),
    want: { answer: /^HTTP\/1\.1 401 [^]*:unauthenticated/, calls: 0 }
  },
  {
    name: 'a client whose key is replaced while its body arrives is refused',
    attack: (gateway) => whileBodyArrives(gateway, ({ app }) => {
      app.reload.apply({
        ...app.configuration, clients: clients.map((client) => ({ ...client, keys: ['quite another key'] }))
      })
    }),
    want: { answer: /^HTTP\/1\.1 401 [^]*:unauthenticated/, calls: 0 }
  },
  {
    name: 'a client that loses a right while its body arrives is refused',
    attack: (gateway) => whileBodyArrives(gateway, ({ app }) => {
      app.reload.apply({ ...app.configuration, clients: clients.map((client) => ({ ...client, access: 'read' })) })
    }),
    want: { answer: /^HTTP\/1\.1 403 [^]*:forbidden/, calls: 0 }
  },
  {
    name: 'a reload that leaves a client unchanged does not refuse it while its body arrives',
    attack: (gateway) => whileBodyArrives(gateway, ({ app }) => {
      app.reload.apply({ ...app.configuration, clients: clients.map((client) => ({ ...client })) })
    }),
    want: { answer: /^HTTP\/1\.1 201 /, calls: 1 }
  },
  {
    name: 'an If-None-Match that is too long is refused, whatever is in memory',
    configuration: { reads: { freshFor: 60_000, staleFor: 0 } },
    async attack ({ ask }) {
      const statuses: number[] = []
      const headers = { 'if-none-match': `"${'x'.repeat(4096)}"` }
      statuses.push((await ask('reader', 'GET', GROUPS, { headers })).status)
      for (const given of [{}, {}, headers]) {
        statuses.push((await ask('reader', 'GET', GROUPS, { headers: given })).status)
      }
      return statuses
    },
    want: [400, 200, 200, 400]
  },
  {
    name: 'a request with more than one Host is refused',
    attack: (gateway) => Promise.all(HOSTS.map((hosts) =>
      send(gateway, `GET /v1/spot/ping HTTP/1.1\r\nConnection: close\r\n${hosts}\r\n\r\n`))),
    want: HOSTS.map(() => /^HTTP\/1\.1 400 [^]*:malformed-request/)
  },
  {
    name: 'a query parameter that is not an integer is refused',
    async attack ({ ask, sandbox }) {
      const replies = await Promise.all(NO_INTEGERS.map((text) =>
        ask('writer', 'POST', `${GROUPS}/sig-1/scale/up?adjustment=${text}`)))
      return { replies, calls: sandbox.transcript.length }
    },
    want: {
      replies: NO_INTEGERS.map(() => ({
        status: 400, json: { errors: [{ parameter: 'adjustment', message: 'must be integer' }] }
      })),
      calls: 0
    }
  },
  {
    name: 'our own secrets in an answer of Spot are masked for every caller and in the log',
    configuration: { logLevel: 'trace' },
    async attack ({ ask, sandbox, log }) {
      const error = { code: 'X', message: `your token ${VENDOR} is bad`, field: VENDOR }
      sandbox.faults.inject({ status: 400, errors: [error] })
      const hidden = VENDOR.replaceAll('v', '\\u0076')
      const body = `{"request": {"id": "${KEY}"}, "response": {"errors": [{"code": "${KEY}", "message": "${hidden}"}]}}`
      sandbox.faults.inject({ status: 400, body, headers: { 'content-type': 'application/json' } })
      const items = [{ ...group, id: 'sig-1', name: VENDOR, tags: [`a ${KEY} in it`] }]
      sandbox.faults.inject({ times: 2, status: 200, body: { response: { items } } })
      const replies: Reply[] = []
      for (const path of [`${GROUPS}/sig-1`, `${GROUPS}/sig-1`, GROUPS, `${GROUPS}/sig-1`]) {
        replies.push(await ask('default', 'GET', path))
      }
      const statuses = replies.map(({ status }) => status)
      const out = [...replies.map(({ text }) => text), ...log]
      const found = out.filter((text) => text.includes(VENDOR) || text.includes(KEY))
      const warned = log.map((line) => JSON.parse(line)).filter(({ msg }) => /has a secret of this server/.test(msg))
      return { statuses, one: replies[3]?.json, found, detail: replies[0]?.json.detail, warned }
    },
    want: {
      statuses: [400, 400, 200, 200],
      one: { name: '(masked)', tags: ['a (masked) in it'] },
      found: [],
      warned: [{ level: 40, clients: [], accounts: ['demo'] }],
      detail: /your token \(masked\) is bad/
    }
  },
  {
    name: 'a key in a URL stays out of the log',
    async attack ({ ask, log }) {
      const hidden = [...KEY].map((letter) => `%${letter.charCodeAt(0).toString(16)}`).join('')
      for (const path of [`whoami?key=${KEY}`, `whoami?key=${hidden}`, KEY, `x/${hidden.toUpperCase()}?a=%zz`]) {
        await ask(null, 'GET', `/v1/spot/${path}`)
      }
      const urls = log.flatMap((line) => JSON.parse(line).url ?? [])
      return { urls, found: log.filter((line) => line.includes(KEY)) }
    },
    want: { urls: ['/v1/spot/whoami?key=(masked)', '/v1/spot/whoami?key=(masked)', '/v1/spot/(masked)'], found: [] }
  },
  {
    name: 'a key in place of a trace or an address stays out of the log',
    configuration: { trustedProxies: ['127.0.0.1'], clients: [owner(HEX)] },
    async attack ({ ask, log }) {
      const token = hashSync(HEX, 4)
      const traceparent = `00-${HEX}-00f067aa0ba902b7-01`
      for (const [name, value] of [['traceparent', traceparent], ['x-forwarded-for', HEX]] as const) {
        await ask(null, 'GET', '/v1/spot/whoami', { headers: { 'x-auth-token': token, [name]: value } })
      }
      const lines = log.map((line) => JSON.parse(line)).filter(({ url }) => url)
      return { lines, found: log.filter((line) => line.includes(HEX)) }
    },
    want: { lines: [{ traceId: '(masked)', status: 200 }, { address: '(masked)', status: 200 }], found: [] }
  },
  {
    name: 'a filter tells nothing of a password that is masked',
    async attack ({ ask, sandbox }) {
      const url = 'redis://user:hunter2@host'
      const tags = [{ tagKey: 'cache', tagValue: url }]
      const items = [{ ...group, id: 'sig-1', name: url, compute: { launchSpecification: { tags } } }]
      sandbox.faults.inject({ times: Infinity, status: 200, body: { response: { items } } })
      const found = async (query: string) => (await ask('reader', 'GET', `${GROUPS}?${query}`)).json.length
      return [
        await found('name=*:hunter*'), await found(`tag=cache:${url}`), await found('name=*:(masked)@*'),
        await found('tag=cache:redis://user:(masked)@host')
      ]
    },
    want: [0, 0, 1, 1]
  },
  {
    name: 'headers keep browsers from treating replies as pages',
    async attack (gateway) {
      const { ask } = gateway
      const replies = [
        ask(null, 'GET', '/v1/spot/ping'), ask('reader', 'GET', GROUPS), ask(null, 'GET', GROUPS),
        ask(null, 'GET', '/%')
      ]
      const headers = (await Promise.all(replies)).map(({ headers }) => headers)
      return { headers, raw: await send(gateway, 'GET / HTTP/9.9\r\n\r\n', undefined, 'clientError') }
    },
    want: {
      headers: [1, 2, 3, 4].map(() => ({
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'content-security-policy': "default-src 'none'; frame-ancestors 'none'"
      })),
      raw: /x-content-type-options: nosniff/
    }
  },
  {
    name: 'a body with half a million errors takes little more time than one with a single error',
    async attack () {
      const validate = validatorOf('createElastigroup', 'body', undefined)
      const bodyOf = (tags: unknown[]) => ({ ...group, compute: { launchSpecification: { tags } } })
      const countOf = (body: object) => validate(body) ? 0 : validate.errors?.length ?? 0
      const many = countOf(bodyOf(new Array(500_000).fill(0)))
      const last = countOf(bodyOf([...Array.from({ length: 10_000 }, () => ({ tagKey: 'a' })), 5]))
      const unknown = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`key${index}`, 0]))
      const right = countOf({ ...bodyOf([]), ...unknown })
      return { few: many > 20 && many < 1000, last, right }
    },
    want: { few: true, last: 1, right: 0 }
  },
  {
    name: 'an empty X-Auth-Client is ignored',
    attack: ({ ask }) => ask('writer', 'GET', '/v1/spot/whoami', { headers: { 'x-auth-client': '' } }),
    want: { status: 200, json: { name: 'writer' } }
  },
  {
    name: 'neither status nor words tell which names of clients exist',
    attack: ({ ask }) => Promise.all(['writer', 'nobody', 'Reader'].map(async (name) => {
      const headers = { 'x-auth-client': name, 'x-auth-token': tokens.get('reader') as string }
      const { status, json: { requestId, ...rest } } = await ask(null, 'GET', '/v1/spot/whoami', { headers })
      return { status, rest }
    })).then(([known, ...unknown]) => unknown.map((each) => isDeepStrictEqual(each, known) && each.status)),
    want: [401, 401]
  },
  {
    name: 'no client pushes the verified token of another out of memory',
    async attack ({ ask }) {
      const whoami = async (token: string) =>
        (await ask(null, 'GET', '/v1/spot/whoami', { headers: { 'x-auth-token': token } })).status
      await whoami(TOKEN)
      const own = Array.from({ length: 220 }, () => hashSync('the-key-of-reader-0', 4))
      const statuses = new Set<number>()
      for (const token of own) statuses.add(await whoami(token))
      // From an address with too many failures, a token that is not remembered is not checked.
      for (let i = 0; i < 20; i++) await whoami(hashSync(`a key of nobody ${i}`, 4))
      return [...statuses, await whoami(own[0] as string), await whoami(own.at(-1) as string), await whoami(TOKEN)]
    },
    want: [200, 429, 200, 200]
  },
  {
    name: 'a new token waits no longer than its request may take',
    configuration: { deadlines: { read: 20, write: 60_000 } },
    attack: ({ ask }) =>
      ask(null, 'GET', '/v1/spot/whoami', { headers: { 'x-auth-token': hashSync('the-key-of-reader-0', 12) } }),
    want: { ...problem(503, 'overloaded'), headers: { 'retry-after': '2' } }
  },
  {
    name: 'a forwarded address has a port or none, and garbage does not share one',
    configuration: { trustedProxies: ['127.0.0.1'] },
    async attack ({ ask }) {
      const wrong = hashSync('a key of nobody', 4).slice(0, -4)
      let asked = 1000
      const statusFor = async (address: string) => (await ask(null, 'GET', '/v1/spot/whoami', {
        headers: { 'x-forwarded-for': address, 'x-auth-token': `${wrong}${asked++}` }
      })).status
      const many = async (addressOf: (port: number) => string) => {
        for (let i = 0; i < 20; i++) await statusFor(addressOf(1024 + i))
        return statusFor(addressOf(2000))
      }
      return [
        await many((port) => `203.0.113.1:${port}`), await statusFor('203.0.113.1'), await statusFor('203.0.113.2'),
        await many(() => 'garbage'), await statusFor('other garbage')
      ]
    },
    want: [429, 429, 401, 429, 401]
  },
  {
    name: 'the key itself in place of a token counts as a guess',
    async attack ({ ask }) {
      const details: string[] = []
      for (let i = 0; i < 21; i++) {
        const { json } = await ask(null, 'GET', '/v1/spot/whoami', {
          headers: { 'x-auth-token': i < 20 ? `a-guess-of-the-key-${i}` : KEY }
        })
        details.push(json.detail)
      }
      return details.at(-1)
    },
    want: 'X-Auth-Token is not a bcrypt hash.'
  }
]

for (const { name, attack, want, sandbox, configuration } of attacks) {
  t.test(name, async (t) => {
    const gateway = await start(t, { configuration: { clients, ...configuration }, ...sandbox && { sandbox } })
    const ask: Ask = (caller, method, path, options) =>
      gateway.request(method, path, { token: caller === null ? null : tokens.get(caller) as string, ...options })
    t.match(await attack({ ...gateway, ask }), want)
  })
}

/** Sends bytes over a connection of their own, and what `more` yields after the server has begun with them. */
async function send (gateway: Gateway, bytes: string, more?: () => string, event = 'request'): Promise<string> {
  const { port } = gateway.app.server.address() as AddressInfo
  const socket = connect(port, '127.0.0.1').setEncoding('utf8')
  let answer = ''
  socket.on('data', (chunk) => { answer += String(chunk) })
  const served = once(gateway.app.server, event)
  socket.write(bytes)
  await served
  if (more) {
    // The token is known, so it is checked in the same turn.
    await gateway.request('GET', '/v1/spot/ping')
    socket.write(more())
  }
  await once(socket, 'close')
  return answer
}

/** A create whose last byte comes after a change. */
async function whileBodyArrives (gateway: Attacked, change: (gateway: Gateway) => void) {
  const token = tokens.get('writer') as string
  await gateway.ask('writer', 'GET', '/v1/spot/whoami')
  const body = JSON.stringify(group)
  const head = `POST ${GROUPS} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Auth-Token: ${token}\r\n` +
    `Content-Length: ${body.length}\r\n\r\n`
  const answer = await send(gateway, head + body.slice(0, -1), () => {
    change(gateway)
    return body.slice(-1)
  })
  return { answer, calls: gateway.sandbox.transcript.length }
}
