import t from 'tap'
import { ACCOUNT, KEY, start, TOKEN } from './helper.js'
import { raw } from './raw-http.js'
import { until } from './until.js'

const groups = `/v1/spot/${ACCOUNT}/elastigroups`

t.test('a token in the URL is kept out of the log', async (t) => {
  const { request, log } = await start(t)
  for (const token of [TOKEN, encodeURIComponent(TOKEN)]) {
    await request('GET', `${groups}?token=${token}`)
    await request('GET', `/v1/spot/${token}`)
  }
  t.equal(log.filter((line) => line.includes('(token)')).length, 4)
  t.notOk(log.some((line) => line.includes(TOKEN.slice(-20))))
})

t.test('the log says why a request was refused, and who asked', async (t) => {
  const { request, log } = await start(t, { configuration: { trustedProxies: ['127.0.0.1'] } })
  const headers = { 'x-forwarded-for': '198.51.100.7' }
  for (const [options, want] of [
    [{ token: null }, { problem: 'unauthenticated', detail: 'The X-Auth-Token header is missing.' }],
    [{ token: 'b0' }, { problem: 'unauthenticated', detail: /dollar signs/ }],
    [{}, { problem: 'invalid-request', detail: undefined, codes: ['additionalProperties'] }]
  ] as const) {
    await request('GET', `${groups}?page=2`, { headers, ...options })
    const line = JSON.parse(log.at(-1) ?? '{}')
    t.match(line, { level: 30, address: '198.51.100.7', ...want })
  }
  t.notMatch(log.join(), /"page/, 'nothing of what was sent, save the URL')
})

t.test('an X-Request-Id of plain characters is kept, any other is replaced', async (t) => {
  const { request, log } = await start(t)
  for (const id of ['a', '0af7651916cd43dd-8448.eb_1', 'x'.repeat(128)]) {
    const { headers, json } = await request('GET', '/v1/spot/nowhere', { headers: { 'x-request-id': id } })
    t.strictSame([headers['x-request-id'], json.requestId], [id, id])
    t.ok(log.at(-1)?.includes(`"requestId":"${id}"`), 'and stands in the log')
  }
  for (const id of ['', 'a b', 'x'.repeat(129), 'a"b', '{}', 'a,b', '../a', 'a;b', '\u00e9', '$a', '%0a', '<a>']) {
    const { headers, json } = await request('GET', '/v1/spot/nowhere', { headers: { 'x-request-id': id } })
    t.match(headers['x-request-id'], /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/, JSON.stringify(id))
    t.equal(json.requestId, headers['x-request-id'])
  }
})

t.test('the line of a request is the one that pino would write', async (t) => {
  const { request, app, log } = await start(t)
  const trace = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' }
  for (const [path, headers] of [
    [groups, {}], [groups, {}], // the second time from memory
    ['/v1/spot/ping', trace],
    ['/v1/spot/a%22b%5C%0Ac%C3%A9%F0%9F%98%80/elastigroups', trace],
    ['/v1/spot/"quoted"\\/elastigroups?a="b"', {}],
    [`${groups}?page=2`, { 'x-request-id': 'the-line' }],
    ['/v1/spot/"%', trace]
  ] as const) {
    const before = log.length
    await request('GET', path, { headers: { ...headers } })
    await until(() => log.length > before)
    const line = log[before] as string
    const { level, time, pid, hostname, msg, ...fields } = JSON.parse(line)
    app.log.info(fields, msg)
    t.equal(line.replace(String(time), ''), log.at(-1)?.replace(/(?<="time":)\d+/, ''), path)
    t.ok(Math.abs(time - Date.now()) < 3_600_000)
  }
})

t.test('what has no valid path is logged and counted like any other request', async (t) => {
  const { request, log } = await start(t, { configuration: { trustedProxies: ['127.0.0.1'] } })
  const headers = { 'x-forwarded-for': '198.51.100.7', 'x-request-id': 'an-id' }
  for (const [url, status, problem] of [
    ['/v1/spot/%?a=b', 400, 'malformed-request'], [`/v1/spot/${'x'.repeat(200)}/elastigroups`, 414, 'uri-too-long']
  ] as const) {
    const before = log.length
    const reply = await request('GET', url, { headers })
    t.match(reply, { status, json: { instance: url.split('?')[0] }, headers: { 'cache-control': 'no-store' } })
    await until(() => log.length > before)
    t.match(JSON.parse(log[before] as string), {
      requestId: 'an-id', method: 'GET', url, address: '198.51.100.7', status, problem
    })
  }
  const { text } = await request('GET', '/v1/spot/metrics')
  t.match(text, /^http_requests_total\{method="__other__",route="__other__",status_class="4xx"\} 2$/m)
  t.match(text, /^http_error_responses_total\{status_code="414"\} 1$/m)
})

t.test('a key in the URL is kept out of the log, however it is encoded', async (t) => {
  const keys = [KEY, 'adm+in/key-1234567890=', 'of two words + 100%']
  const { request, log } = await start(t, {
    configuration: { clients: [{ name: 'default', keys, accounts: ['*'], access: 'admin', allowDelete: true }] }
  })
  for (const written of [
    'adm+in/key-1234567890=', 'adm+in%2Fkey-1234567890%3D', 'adm%2bin%2fkey-1234567890%3d', '%61dm+in/key-1234567890=',
    '%ff%61dm%2bin/key-1234567890=', 'of+two+words+%2B+100%25', 'of%20two%20words%20+%20100%25',
    'of%20two+words+%2b+100%25'
  ]) {
    for (const url of [`/v1/spot/ping?t=${written}`, `/v1/spot/%?t=${written}`, `/v1/spot/ping?x=%&t=${written}`]) {
      const before = log.length
      await request('GET', `${url}&other=${KEY}`)
      await until(() => log.length > before)
      t.match(JSON.parse(log[before] as string).url, /^\/v1\/spot\/.*t=\ufffd?\(masked\)&other=\(masked\)$/, url)
    }
  }
})

t.test('what is not HTTP as Node takes it has no line in the log', async (t) => {
  const gateway = await start(t)
  const end = 'HTTP/1.1\r\nHost: x\r\nConnection: close\r\n'
  for (const [bytes, status] of [
    [`CONNECT x:1 ${end}\r\n`, 405], [`GET /v1/spot/\xe9 ${end}\r\n`, 400],
    [`GET /v1/spot/ping ${end}X-Long: ${'x'.repeat(20_000)}\r\n\r\n`, 431]
  ] as const) t.equal((await raw(gateway, bytes)).status, status, bytes.slice(0, 20))
  await gateway.request('GET', '/v1/spot/ping')
  const urls = () => gateway.log.map((line) => JSON.parse(line).url).filter(Boolean)
  await until(() => urls().length > 0)
  t.strictSame(urls(), ['/v1/spot/ping'])
})
