import t, { type Test } from 'tap'
import { document } from '../openapi/document.js'
import { problemType, type ProblemName } from '../services/problems/index.js'
import { faultsOfReply } from './contract-check.js'
import { ACCOUNT, start, TOKEN, type Reply, type RequestOptions } from './helper.js'
import { raw } from './raw-http.js'
import { until } from './until.js'

const groups = `/v1/spot/${ACCOUNT}/elastigroups`
const one = `${groups}/sig-0000abcd`
const costs = `${one}/costs`
const capacity = { target: 0, minimum: 0, maximum: 0 }
const group = { name: 'x', strategy: {}, region: 'us-east-1', capacity, compute: {} }
const long = 'a'.repeat(129)
const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)
const withField = (value: string) => JSON.stringify(group).replace('{', `{"field":${value},`)

interface Refused extends RequestOptions { status: number, problem: ProblemName, errors?: object[] }
type Row = [method: string, path: string, want: Refused]

/** Each row is answered by its problem; nothing of them all reaches Spot. */
const refuses = (rows: Row[]) => async (t: Test) => {
  const { request, sandbox } = await start(t)
  for (const [method, path, { status, problem, errors, ...options }] of rows) {
    const reply = await request(method, path, options)
    const name = `${method} ${path.slice(0, 80)} ${JSON.stringify(options).slice(0, 80)}`
    t.equal(reply.status, status, name)
    if (method === 'HEAD') continue
    t.match(reply.json, { type: problemType(problem), requestId: reply.headers['x-request-id'] }, name)
    if (errors) t.match(reply.json.errors, errors, name)
  }
  t.strictSame(sandbox.transcript, [], 'nothing reaches Spot')
}

const absent = { status: 404, problem: 'route-not-found' } as const
const invalid = { status: 400, problem: 'invalid-request' } as const
const malformed = { status: 400, problem: 'malformed-request' } as const
const unknown = { ...invalid, errors: [{ parameter: 'notThere', message: 'is not known here' }] }
const noJson = { status: 400, problem: 'malformed-json' } as const
const noMedia = { status: 415, problem: 'unsupported-media-type' } as const
const tooLong = { status: 414, problem: 'uri-too-long' } as const
const tooLargeHead = { status: 431, problem: 'header-fields-too-large' } as const
const tooLarge = { status: 413, problem: 'content-too-large' } as const

t.test('unknown, malformed and overlong paths', refuses([
  ...[
    '/', '/v1', '/v1/spot', '/v1/spot/', '/v1/spot/nowhere', '/v1/spot/ping/', '//v1/spot/ping', '/V1/spot/ping', '*',
    '/v1/spot/ping;x', `/v1/spot/${ACCOUNT}`, `${groups}//`, `${one}/`, `${one}/status/`, `${one}/x`, '/v1/spot/?%zz'
  ].map((path): Row => ['GET', path, absent]),
  ['OPTIONS', '*', absent],
  ['DELETE', '/v1/spot/nowhere', absent],
  ...['{', ' '.repeat(1024 * 1024 + 1)].map((body): Row => ['POST', '/v1/spot/nowhere', { ...absent, body }]),
  ['POST', '/v1/spot/nowhere', { ...absent, body: 'x', headers: { 'content-type': 'text/plain' } }],
  ...['GET', 'HEAD', 'POST', 'PUT', 'PATCH'].map((method): Row => [method, `${groups}/`, { ...absent, body: group }]),
  ...['/v1/spot/%', `${one}%zz`, `${groups}/%c3%28`].map((path): Row => ['GET', path, malformed]),
  ...[`${groups}/${long}`, `/v1/spot/${long}/elastigroups`].map((path): Row => ['GET', path, tooLong]),
  ['GET', `/nowhere/${long}`, absent],
  ...[`/${'a'.repeat(8192)}`, `${groups}?name=${'a'.repeat(8192)}`, `/${'a'.repeat(20_000)}`, `/${'a'.repeat(200_000)}`]
    .map((path): Row => ['GET', path, tooLong]),
  ['GET', `/${'a'.repeat(8191)}`, absent],
  ...['GET', 'HEAD'].map((method): Row => [method, '/', { ...tooLargeHead, headers: { long: 'a'.repeat(20_000) } }]),
  ['HEAD', `/${'a'.repeat(20_000)}`, tooLong]
]))

t.test('a slash at the end gets a hint, and a page to start from is shown', async (t) => {
  const { request } = await start(t)
  for (const path of ['/v1/spot/ping', groups, one, `${one}/status`, '/v1/spot/nowhere']) {
    for (const query of ['', '?name=a/']) {
      const { status, json } = await request('GET', `${path}/${query}`)
      const hint = `Leave out the slash at the end: ${path}. See /v1/spot/docs for what there is.`
      t.match([status, json.type, json.hint], [404, problemType('route-not-found'), hint])
    }
  }
  for (const path of ['/', '/v1/spot', '/v1/spot/']) {
    const { status, json } = await request('GET', path, { headers: { accept: 'application/json' } })
    t.match([status, json.hint], [404, /\/docs,.*\/openapi\.json;.*\/accounts/], path)
    t.equal((await request('GET', path)).json.hint, json.hint, 'nothing accepted is the same')
    t.equal((await request('POST', path, { body: group })).status, 404)
    t.equal((await request('HEAD', path)).status, 404)
    const browser = await request('GET', path, { headers: { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' } })
    t.match(browser, { status: 303, headers: { location: '/v1/spot/docs', vary: 'Accept' } })
  }
})

t.test('JSON ends with a newline, problems included', async (t) => {
  const gateway = await start(t)
  const { request } = gateway
  const headers = { 'idempotency-key': 'one' }
  await until(async () => (await request('POST', groups, { body: group, headers })).status === 201)
  const replies = [
    await request('GET', groups), await request('GET', one), await request('GET', '/v1/spot/accounts'),
    await request('GET', '/v1/spot/ready'), await request('POST', groups, { body: group, headers }),
    await request('GET', '/v1/spot/nowhere'), await request('PATCH', groups),
    await request('GET', '/v1/spot/openapi.json'), await request('GET', '/v1/spot/%'),
    await raw(gateway, 'nonsense\r\n\r\n')
  ]
  for (const { text, status } of replies) t.match(text, /[}\]]\n$/, `${status} ${text.slice(0, 60)}`)
})

t.test('a method that a path does not take is answered 405 and Allow', async (t) => {
  const { request, sandbox } = await start(t)
  for (const [path, item] of Object.entries(document.paths)) {
    const named = Object.keys(item).filter((key) => key !== 'parameters').map((method) => method.toUpperCase())
    const known = named.flatMap((method) => method === 'GET' ? ['GET', 'HEAD'] : method)
    const all = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE']
    for (const method of all.filter((name) => !known.includes(name))) {
      for (const token of [TOKEN, null]) {
        const reply = await request(method, path.replace(/\{\w+\}/g, 'x'), { token })
        t.equal(reply.status, 405, `${method} ${path}`)
        t.strictSame(reply.headers.allow?.split(', ').sort(), known.sort())
        if (method !== 'HEAD') t.equal(reply.json.type, problemType('method-not-allowed'))
      }
    }
  }
  t.strictSame(sandbox.transcript, [])
})

t.test('HEAD is GET without its body, problems included', async (t) => {
  const gateway = await start(t, { configuration: { reads: { freshFor: 60_000, staleFor: 60_000 } } })
  const { request, sandbox } = gateway
  const ids: Record<string, string> = { account: ACCOUNT, elastigroup: 'sig-0f3ac1d2', instance: 'smi-4e8b21f7' }
  const paths = Object.entries(document.paths).filter(([, item]) => item.get)
    .map(([path]) => path.replace(/\{(\w+)\}/g, (_, name: string) => ids[name] ?? 'x-1'))
  /** What of the headers has nothing to do with the moment. */
  const lasting = (reply: Reply['headers']) => {
    const { date, age, 'x-request-id': id, 'cache-status': status, 'retry-after': wait, ...headers } = reply
    return headers
  }
  for (const path of [...paths, `${groups}/sig-none`, '/v1/spot/none/elastigroups', `${groups}?x=1`]) {
    const { text, ...get } = await request('GET', path)
    const calls = sandbox.transcript.length
    const head = `HEAD ${path} HTTP/1.1\r\nHost: a\r\nX-Auth-Token: ${TOKEN}\r\nConnection: close\r\n\r\n`
    const reply = await raw(gateway, head)
    t.strictSame([reply.status, reply.text], [get.status, ''], path)
    if (path.endsWith('/metrics')) continue // grows with each request
    const { connection, ...headers } = lasting(reply.headers)
    const { connection: _, 'keep-alive': __, ...expected } = lasting(get.headers)
    t.strictSame(headers, JSON.parse(JSON.stringify(expected).toLowerCase()), path)
    t.equal(Number(headers['content-length'] ?? 0), Buffer.byteLength(text), path)
    t.equal(sandbox.transcript.length, calls, `${path} costs no call where GET costs none`)
  }
  const stranger = await request('HEAD', groups, { token: null })
  t.match(stranger, { status: 401, text: '', headers: { 'www-authenticate': /ApiKey/ } })
  // Of what is compressed, not sent again, and of files, too.
  for (const path of [groups, '/v1/spot/openapi.json', '/v1/spot/docs/static/swagger-ui.css']) {
    for (const coding of ['identity', 'gzip']) {
      const accept = { 'accept-encoding': coding }
      const { headers: { etag = '' } } = await request('GET', path, { headers: accept })
      for (const headers of [accept, { ...accept, 'if-none-match': etag }]) {
        const [get, head] = [await request('GET', path, { headers }), await request('HEAD', path, { headers })]
        t.strictSame([head.status, head.text], [get.status, ''], path)
        t.strictSame(lasting(head.headers), lasting(get.headers), `${path} ${JSON.stringify(headers)}`)
      }
    }
  }
  const calls = sandbox.transcript.length
  await request('HEAD', '/v1/spot/demo/instances?name=unknown')
  await request('GET', '/v1/spot/demo/instances?name=unknown')
  t.ok(sandbox.transcript.length <= calls + 1, 'what a HEAD has read answers a GET')
})

t.test('bodies that are not JSON, too large, or not as documented', refuses([
  ...[
    '{', '{"a":1}x', 'NaN', "{'a':1}", '{"a":1,}', '   ', '['.repeat(100_000), '{"__proto__":1}',
    '{"a":{"__proto__":{}}}', '{"\\u005f_proto__":1}', '{"constructor":{"prototype":1}}'
  ].map((body): Row => ['POST', groups, { ...noJson, body }]),
  ['PUT', one, { ...noJson, body: '{', headers: { 'content-type': 'application/merge-patch+json' } }],
  ...['text/plain', 'application/x-www-form-urlencoded', 'application/xml', 'multipart/form-data; boundary=x']
    .map((type): Row => ['POST', groups, { ...noMedia, body: 'name=x', headers: { 'content-type': type } }]),
  ['POST', groups, { ...noMedia, body: '{}', headers: { 'content-type': 'json' } }],
  ['DELETE', one, { ...noMedia, body: 'name=x', headers: { 'content-type': 'text/plain' } }],
  ...[undefined, '', 'null', '""', '1', 'true', '[]', '[{}]'].flatMap((body): Row[] => [
    ['POST', groups, { ...invalid, body, errors: [{ pointer: '#', code: 'type', message: 'must be object' }] }],
    ['PUT', one, { ...invalid, body, errors: [{ pointer: '#', code: 'type', message: 'must be object' }] }]
  ]),
  ...[
    nested(100_000), withField(nested(100_000)), '{"a":'.repeat(200) + '1' + '}'.repeat(200), withField('-1e999')
  ].map((body): Row => ['POST', groups, { ...invalid, body, errors: [{ pointer: '#', code: 'lossy' }] }]),
  ['POST', groups, { ...tooLarge, body: ' '.repeat(1024 * 1024 + 1) }],
  ['PUT', one, { ...tooLarge, body: { field: ' '.repeat(1024 * 1024) } }],
  ['DELETE', one, { ...tooLarge, body: { field: ' '.repeat(1024 * 1024) } }]
]))

t.test('all wrong types in a body are named, each once and with its pointer', async (t) => {
  const { request, sandbox } = await start(t)
  const tags = [{ tagKey: 'a', tagValue: 'b' }, { tagKey: 7, tagValue: 'b' }, 'c']
  const launchSpecification = { tags, userData: '#!/bin/sh', monitoring: 'yes' }
  const compute = { instanceTypes: { spot: 't3.micro' }, launchSpecification }
  const { json } = await request('POST', groups, { body: { name: 5, capacity: { ...capacity, target: '2' }, compute } })
  const spec = '#/compute/launchSpecification'
  const pointers = json.errors.map(({ pointer }: { pointer: string }) => pointer).sort()
  t.strictSame(pointers, [
    '#/capacity/target', '#/compute/instanceTypes/spot', `${spec}/monitoring`, `${spec}/tags/1/tagKey`,
    `${spec}/tags/2`, `${spec}/userData`, '#/name', '#/strategy'
  ])
  const messageOf = (place: string) => json.errors.find(({ pointer }: { pointer: string }) => pointer === place).message
  t.equal(messageOf('#/strategy'), 'is required')
  t.equal(messageOf('#/capacity/target'), 'must be integer')
  t.match(messageOf(`${spec}/userData`), /must be base64/)
  t.match(json.detail, /, and 5 more\.$/)

  const many = { ...group, compute: { launchSpecification: { tags: new Array(100_000).fill(0) } } }
  t.equal((await request('POST', groups, { body: many })).json.errors.length, 20, 'no answer is endless')
  t.strictSame(sandbox.transcript, [])
})

t.test('query parameters that are unknown, or no valid date or boolean', refuses([
  ...[
    ['x=1', 'x'], ['__proto__=1', '__proto__'], ['toString=1', 'toString'], ['a/b=1', 'a/b'], ['start[]=1', 'start[]'],
    ['start=2026-01-01', 'end'], ['end=2026-01-01', 'start'], ['start=2026-01-02&end=2026-01-01', 'end'],
    ['start=2026-01-01&end=2026-01-01', 'end'], ['start=2026-01-01&start=2026-01-02&end=2026-02-01', 'start'],
    ...['2026-13-40', '2026-02-30', '2023-02-29', '20260101', '2026-1-1', '2026-01-01T00:00', 'not-a-date', '', '1']
      .map((day) => [`start=${day}&end=2027-01-01`, 'start'])
  ].map(([query, parameter]): Row => ['GET', `${costs}?${query}`, { ...invalid, errors: [{ parameter }] }]),
  ...['maybe', '', '1', '0', 'TRUE', 'null', 'false&shouldDeleteVolumes=true'].map((value): Row =>
    ['DELETE', `${one}?shouldDeleteVolumes=${value}`, { ...invalid, errors: [{ parameter: 'shouldDeleteVolumes' }] }]),
  ['DELETE', `${one}?shouldTerminateInstance=false`, invalid],
  ...['GET', 'POST'].map((method): Row => [method, `${groups}?notThere=1`, { ...unknown, body: group }]),
  ...['GET', 'PUT', 'DELETE'].map((method): Row => [method, `${one}?notThere=1`, { ...unknown, body: group }]),
  ...[`${one}/status`, '/v1/spot/ping'].map((path): Row => ['GET', `${path}?notThere=1`, unknown])
]))

t.test('JSON is accepted under other content types, and an empty body counts as none', async (t) => {
  const { request, sandbox } = await start(t)
  const body = { ...group, field: [1, null, ''] }
  for (const type of ['application/json', 'text/plain', 'application/x-www-form-urlencoded', 'application/x+json']) {
    const { headers, status } = await request('POST', groups, { body, headers: { 'content-type': type } })
    t.equal(status, 201, type)
    const path = headers.location as string
    t.match(sandbox.transcript.at(-1)?.body, { group: { field: [1, null, ''] } })
    t.equal((await request('PUT', path, { body: '{}' })).status, 200, 'an update of nothing')
    const empty = { body: '', headers: { 'content-type': type } }
    t.equal((await request('DELETE', path, empty)).status, 204)
    t.equal((await request('DELETE', path, empty)).status, 404)
  }
  for (const [name, body] of Object.entries({
    'a byte order mark': `\ufeff${JSON.stringify(group)}`,
    'just 1 MiB': JSON.stringify(group).padEnd(1024 * 1024),
    'some nesting': withField(nested(90))
  })) t.equal((await request('POST', groups, { body })).status, 201, name)
})

t.test('malformed HTTP gets a problem, and the connection is closed', async (t) => {
  const gateway = await start(t)
  const post = (headers: string, body: string) =>
    `POST ${groups} HTTP/1.1\r\nHost: a\r\nX-Auth-Token: ${TOKEN}\r\n${headers}\r\n\r\n${body}`
  const [chunked, close] = ['Transfer-Encoding: chunked', 'Connection: close']
  for (const [bytes, status, problem] of [
    ['nonsense\r\n\r\n', 400, 'malformed-request'],
    ['\x16\x03\x01\x02\x00\x01\x00\x01', 400, 'malformed-request'],
    ['GET / HTTP/9.9\r\n\r\n', 400, 'malformed-request'],
    ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, 'malformed-request'],
    ['BREW / HTTP/1.1\r\nHost: a\r\n\r\n', 400, 'malformed-request'],
    ['CONNECT spot.example:443 HTTP/1.1\r\nHost: a\r\n\r\n', 405, 'method-not-allowed'],
    ['GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n', 400, 'malformed-request'],
    ['GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n', 400, 'malformed-request'],
    ['GET / HTTP/1.1\r\nConnection: close\r\n\r\n', 400, 'malformed-request'],
    [post('Content-Length: -5', ''), 400, 'malformed-request'],
    [post(`Content-Length: 5\r\n${chunked}`, '0\r\n\r\n'), 400, 'malformed-request'],
    [post(chunked, 'zz\r\n\r\n'), 400, 'malformed-request'],
    [post(`${close}\r\n${chunked}`, `100001\r\n${' '.repeat(0x100001)}\r\n0\r\n\r\n`), 413, 'content-too-large'],
    [post(`${close}\r\nContent-Length: 3`, '"\xe9"'), 400, 'malformed-json'],
    [post(`${close}\r\n${chunked}`, '3\r\n"\xe9"\r\n0\r\n\r\n'), 400, 'malformed-json'],
    [`GET / HTTP/1.1\r\nHost: a\r\nLong: ${'a'.repeat(20_000)}\r\n\r\n`, 431, 'header-fields-too-large']
  ] as const) {
    const name = JSON.stringify(bytes.replace(TOKEN, '…').slice(0, 120))
    const reply = await raw(gateway, bytes)
    t.equal(reply.status, status, name)
    t.strictSame(faultsOfReply(status === 413 ? 'POST' : 'GET', status === 413 ? groups : '/', reply), [], name)
    t.match(reply.json, { type: problemType(problem), requestId: reply.headers['x-request-id'] }, name)
    t.equal(reply.headers.connection, 'close', name)
  }
  t.strictSame(gateway.sandbox.transcript, [], 'nothing reaches Spot')
})

t.test('unusual but valid HTTP is answered', async (t) => {
  const gateway = await start(t)
  const end = 'Host: a\r\nConnection: close\r\n'
  const body = JSON.stringify(group)
  for (const [bytes, status] of [
    [`GET http://name.invalid/v1/spot/ping HTTP/1.1\r\n${end}\r\n`, 200],
    [`GET /v1/spot/ping HTTP/1.1\r\n${end}Expect: wonders\r\n\r\n`, 200],
    ['GET /v1/spot/ping HTTP/1.0\r\n\r\n', 200],
    [`GET /v1/spot/%70ing HTTP/1.1\r\n${end}\r\n`, 200],
    [`POST ${groups} HTTP/1.1\r\n${end}X-Auth-Token: ${TOKEN}\r\nContent-Length: ${body.length}\r\n\r\n${body}`, 201]
  ] as const) t.equal((await raw(gateway, bytes)).status, status, JSON.stringify(bytes.slice(0, 60)))
})
