import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { delimiter, dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { document } from '../openapi/document.js'
import { KEY, TOKEN } from './keys.js'
import { spot, watch } from './process.js'
import { noRedis, startRedis } from './redis.js'
// Builds the server, if it is stale.
import './server-process.js'
import { testDirectory } from './test-directory.js'

const root = join(import.meta.dirname, '..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const [, lines = ''] = /\n## Traces\n[^]*?```sh\n([^]*?)```/.exec(read('docs/operations.md')) ?? []
const [, install = '', use = ''] = /^(npm install (?:.*\\\n)*.*\n)([^]*)$/.exec(lines) ?? []
const { examples } = document.components as unknown as { examples: Record<string, { value: unknown }> }
const group = examples.ElastigroupCreateExample?.value as { compute: { launchSpecification: object } }

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const CALLER = 'b7ad6b7169203331'
const USER_DATA = Buffer.from('a secret in the stored reply').toString('base64')
const SECRETS = { KEY, TOKEN, USER_DATA, idempotencyKey: 'a-key-of-the-caller', password: 'the-password-of-Redis' }

interface Span {
  scope: string
  name: string
  kind: number
  traceId: string
  spanId: string
  parentSpanId?: string
}

/** Keeps spans that are posted as OTLP in JSON. It fails each: that must not matter when the server ends. */
async function collector (t: Test) {
  const bodies: string[] = []
  const server = createServer(async (request, response) => {
    if (request.url === '/v1/traces') bodies.push(await text(request))
    response.writeHead(400).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  interface Scope { scope: { name: string }, spans: Omit<Span, 'scope'>[] }
  const spans = (): Span[] => bodies.flatMap((body) => JSON.parse(body).resourceSpans as { scopeSpans: Scope[] }[])
    .flatMap(({ scopeSpans }) => scopeSpans)
    .flatMap(({ scope, spans }) => spans.map((span) => ({ ...span, scope: scope.name })))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, bodies, spans }
}

/** The server, started by the lines of the page in a folder of its own. Only the address of the collector differs. */
async function serve (t: Test, configuration: string, collector: string) {
  const folder = testDirectory(t, {
    dist: t.fixture('symlink', join(root, 'dist')), config: { 'config.json': configuration }
  })
  // As the same process, so that it is the server that gets the signal.
  const script = use.replace('http://127.0.0.1:4318', collector).replace(/^node /m, 'exec node ')
  const PATH = [dirname(process.execPath), process.env.PATH].join(delimiter)
  const server = watch(t, spawn('sh', ['-e', '-c', script], { cwd: folder, env: { ...process.env, PATH } }))
  const [, url = ''] = await server.prints(/listening at (http:[^"]+)"/)
  return { ...server, url }
}

t.test('the versions in docs/operations.md are those that are tested', async (t) => {
  const { devDependencies } = JSON.parse(read('package.json')) as { devDependencies: Record<string, string> }
  const named = [...install.matchAll(/ (@[\w-]+\/[\w-]+)@(\S+)/g)].map(([, name, version]) => [name, version])
  const tested = Object.entries(devDependencies).filter(([name]) => /^@opentelemetry\/|\/otel$/.test(name))
  t.strictSame(Object.fromEntries(named), Object.fromEntries(tested))
})

t.test('the lines in docs/operations.md trace a request through the server', async (t) => {
  const { url: endpoint, bodies, spans } = await collector(t)
  const redis = noRedis ? undefined : await startRedis(t, { password: SECRETS.password })
  const { sandbox, configuration } = await spot(t, {
    settings: { drainSeconds: 0, ...redis && { state: { redis: redis.url } } }
  })
  const server = await serve(t, configuration, endpoint)
  const path = `${server.url}/v1/spot/real/elastigroups`
  const headers = { 'x-auth-token': TOKEN, traceparent: `00-${TRACE}-${CALLER}-01` }
  t.equal((await fetch(path, { headers })).status, 200)
  const { compute, ...rest } = group
  const launchSpecification = { ...compute.launchSpecification, userData: USER_DATA }
  t.equal((await fetch(path, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json', 'idempotency-key': `"${SECRETS.idempotencyKey}"` },
    body: JSON.stringify({ ...rest, compute: { ...compute, launchSpecification } })
  })).status, 201)
  server.kill('SIGTERM')
  t.match(await server.ends(), { code: 0, errors: /^$/ }, 'it ends in order, and has sent its spans by then')

  /** Names of what a span is a part of, up to what the caller began. */
  function wayOf ({ name, parentSpanId }: Span): string[] {
    const parent = spans().find(({ spanId }) => spanId === parentSpanId)
    return [name, ...parent ? wayOf(parent) : [parentSpanId ?? 'nothing']]
  }
  const waysOf = (instrumentation: string, kind: number) =>
    spans().filter((span) => span.scope === instrumentation && span.kind === kind).map(wayOf)
  const [SERVER, CLIENT] = [2, 3]
  const requests = ['GET', 'POST'].map((method) => ({
    method, way: ['request', `${method} /v1/spot/:account/elastigroups`, CALLER]
  }))

  await t.test('a request, its route and its call to Spot are one trace, that of the caller', async (t) => {
    t.strictSame([...new Set(spans().map(({ traceId }) => traceId))], [TRACE])
    for (const body of bodies) t.match(body, '{"key":"service.name","value":{"stringValue":"spot-api"}}')
    t.strictSame(waysOf('@opentelemetry/instrumentation-http', SERVER), requests.map(({ way }) => way.slice(1)))
    t.strictSame(waysOf('@opentelemetry/instrumentation-http', CLIENT),
      requests.map(({ method, way }) => [method, ...way]))
    t.equal(sandbox.transcript.length, 2)
    t.equal(server.output().split(`"traceId":"${TRACE}","msg":"request ended"`).length - 1, 2, 'the log has its id')
  })

  await t.test('so are commands to Redis', { skip: noRedis }, async (t) => {
    const ways = waysOf('@opentelemetry/instrumentation-ioredis', CLIENT).map((way) => way.join())
    for (const { method, way } of requests) t.ok(ways.includes(['evalsha', ...way].join()), method)
  })

  await t.test('no secret, no key of the caller and nothing stored is sent', async (t) => {
    const sent = bodies.join('\n')
    t.match(sent, '/v1/spot/real/elastigroups')
    const secrets = { ...SECRETS, vendor: sandbox.accounts[0]?.token ?? '' }
    for (const [name, secret] of Object.entries(secrets)) t.notOk(sent.includes(secret), name)
  })
})
