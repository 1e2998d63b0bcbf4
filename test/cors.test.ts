import t from 'tap'
import { start, TOKEN } from './helper.js'

const groups = '/v1/spot/demo/elastigroups'
const one = `${groups}/sig-0f3ac1d2`

t.test('CORS: pages of the configured origins may call, those of others see nothing', async (t) => {
  const portal = 'https://portal.example.org'
  const { url, sandbox } = await start(t, { configuration: { cors: ['http://localhost:3000', portal] } })
  const off = await start(t)
  const ask = async (headers: Record<string, string>, method = 'GET', path = groups, server = url) => {
    const answer = await fetch(server + path, { method, headers })
    const text = await answer.text()
    const of = (name: string) => answer.headers.get(name)
    return {
      status: answer.status,
      text,
      origin: of('access-control-allow-origin'),
      vary: of('vary') ?? '',
      exposed: of('access-control-expose-headers'),
      methods: of('access-control-allow-methods'),
      headers: of('access-control-allow-headers'),
      age: of('access-control-max-age'),
      credentials: of('access-control-allow-credentials')
    }
  }
  const preflight = {
    'access-control-request-method': 'PUT', 'access-control-request-headers': 'x-auth-token,if-match'
  }
  t.match(await ask({ origin: portal, ...preflight }, 'OPTIONS', one), {
    status: 204,
    text: '',
    origin: portal,
    methods: 'GET, HEAD, POST, PUT, DELETE',
    headers: 'x-auth-token,if-match',
    age: '600',
    credentials: null
  }, 'a preflight needs no token')
  t.strictSame(sandbox.transcript, [])
  const exposed = 'Location, ETag, Retry-After, Link, X-Request-Id, Idempotency-Replayed, Cache-Status'
  for (const [headers, path, status] of [
    [{ 'x-auth-token': TOKEN }, groups, 200], [{}, groups, 401], [{}, '/v1/spot/nowhere', 404],
    [{}, '/v1/spot/ping', 200],
    [{}, `${groups}/`, 404], [{}, '/v1/spot/%', 400], [{}, `${groups}/${'x'.repeat(200)}`, 414]
  ] as const) {
    t.match(await ask({ origin: portal, ...headers }, 'GET', path), { status, origin: portal, exposed, vary: /Origin/ }, path)
    for (const origin of ['https://portal.example.org.evil.example', 'null', 'https://PORTAL.example.org', '']) {
      t.match(await ask({ origin, ...headers }, 'GET', path), { status, origin: null, vary: /Origin/ }, `${path} ${origin}`)
    }
    t.match(await ask(headers, 'GET', path), { status, origin: null }, 'from no page')
  }
  t.match(await ask({ origin: 'https://other.example', ...preflight }, 'OPTIONS', one), { status: 405, origin: null })
  t.match(await ask({ origin: portal }, 'OPTIONS', one), { status: 405 }, 'which is no preflight')
  t.match(await ask({ origin: portal, ...preflight }, 'OPTIONS', one, off.url), { status: 405, origin: null, vary: '' })
  const { vary } = await ask({ origin: portal, 'x-auth-token': TOKEN }, 'GET', groups, off.url)
  t.notMatch(vary, 'Origin', 'off by default')
})
