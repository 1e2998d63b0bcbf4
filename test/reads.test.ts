import { once } from 'node:events'
import { get, type IncomingMessage, type ServerResponse } from 'node:http'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { stopTime } from './clock.js'
import { start, startGateway, TOKEN, type Gateway, type GatewayOptions, type Reply } from './helper.js'
import { noRedis, startRedis } from './redis.js'
import { until } from './until.js'

const groups = '/v1/spot/demo/elastigroups'
const one = `${groups}/sig-0f3ac1d2`

/** What a call of the sandbox can wait for: that the test lets it go. */
function gate () {
  let open = () => {}
  return { opened: new Promise<void>((resolve) => { open = resolve }), open: () => open() }
}

/** A gateway that remembers, with the default times unless told otherwise (milliseconds). */
async function startReader (t: Test, reads = { freshFor: 1000, staleFor: 60_000 }, options: GatewayOptions = {}) {
  const { configuration, ...others } = options
  const sandboxOptions = { rateLimit: Infinity }
  const gateway = await start(t, { configuration: { reads, ...configuration }, sandbox: sandboxOptions, ...others })
  const { sandbox, request, app } = gateway
  let arrived = 0
  app.server.on('request', () => { arrived++ })
  return {
    ...gateway,
    /** Waits until so many requests are as far as they get, since one that came after them is answered. */
    async arrived (count: number) {
      await until(() => arrived === count)
      await request('GET', '/v1/spot/accounts')
    },
    asked: () => sandbox.transcript.filter(({ method }) => method === 'GET').length,
    async results () {
      const { text } = await request('GET', '/v1/spot/metrics')
      return Object.fromEntries([...text.matchAll(/^spot_api_reads_total\{result="(\w+)"\} (\d+)$/gm)]
        .map(([, result, count]) => [result, Number(count)]))
    }
  }
}

const FULL = process.env.CHAOS === 'full'
const CROWD = FULL ? 1000 : 200

t.test('many equal reads at once make one call to Spot', async (t) => {
  stopTime(t)
  const { request, sandbox, arrived, asked, results } = await startReader(t)
  const { opened, open } = gate()
  sandbox.faults.inject({ method: 'GET', latency: opened })
  const crowd = Promise.all(Array.from({ length: CROWD }, () => request('GET', one)))
  await arrived(CROWD)
  open()
  const replies = await crowd
  t.equal(asked(), 1, 'one call')
  t.equal(new Set(replies.map(({ status, text }) => `${status} ${text}`)).size, 1, 'and get the same')
  t.equal(replies[0]?.status, 200)
  t.match(await results(), { hit: 0, miss: 1, collapsed: CROWD - 1, stale: 0 })
})

t.test('reads with no-cache share the call after the one under way', async (t) => {
  const { request, sandbox, arrived, asked, results } = await startReader(t)
  const { opened, open } = gate()
  sandbox.faults.inject({ method: 'GET', latency: opened })
  const fresh = { headers: { 'cache-control': 'no-cache' } }
  const first = request('GET', one, fresh)
  await until(() => asked() === 1)
  await request('PUT', one, { body: { name: 'renamed' } })
  const fifty = Promise.all(Array.from({ length: 50 }, () => request('GET', one, fresh)))
  await arrived(1 + 1 + 50)
  open()
  const replies = await fifty
  t.equal((await first).status, 200)
  t.strictSame([...new Set(replies.map(({ json }) => json.name))], ['renamed'], 'which began after they had asked')
  t.equal(asked(), 2, 'one call for all fifty')
  t.match(await results(), { miss: 2, collapsed: 49 })
})

t.test('a caller that hangs up does not fail the reads that share its call', async (t) => {
  stopTime(t)
  const { request, sandbox, app, arrived, asked, url } = await startReader(t)
  const { opened, open } = gate()
  sandbox.faults.inject({ method: 'GET', latency: opened })
  const first = get(url + one, { headers: { 'x-auth-token': TOKEN } }).on('error', () => {})
  const [, response] = await once(app.server, 'request') as [IncomingMessage, ServerResponse]
  await until(() => asked() === 1)
  const others = Promise.all([request('GET', one), request('GET', one)])
  await arrived(1 + 2)
  const noticed = once(response, 'close')
  first.destroy()
  await noticed
  open()
  t.strictSame((await others).map(({ status }) => status), [200, 200])
  t.equal(asked(), 1)
})

t.test('a fresh answer is given again, and its headers say where it comes from', async (t) => {
  const { tick } = stopTime(t)
  const { request, sandbox, asked } = await startReader(t)
  const first = await request('GET', one)
  t.match(first.headers, { 'cache-status': 'spot-api; fwd=miss', age: '0', 'cache-control': 'private, no-cache' })
  tick(999)
  const again = await request('GET', one)
  t.match(again.headers, { 'cache-status': 'spot-api; hit', etag: first.headers.etag })
  t.equal(again.text, first.text)
  t.equal(asked(), 1)

  const asking = { headers: { 'cache-control': 'no-cache' } }
  const anew = await request('GET', one, asking)
  t.match(anew.headers, { 'cache-status': 'spot-api; fwd=miss' }, 'unless Spot is to be asked')
  t.equal(asked(), 2)
  tick(1000)
  await request('GET', one)
  t.equal(asked(), 3, 'or it is no longer fresh')

  await request('GET', `${groups}?name=web-*`)
  await request('GET', `${groups}?name=batch-*`)
  await request('GET', groups)
  t.equal(asked(), 4, 'all questions to a list are answered by one')
  await request('GET', `${one}/readiness`)
  t.equal(asked(), 6 - 1, 'and what was read is not read again for another answer')
  t.equal(sandbox.transcript.at(-1)?.route, '/aws/ec2/group/{groupId}/status')
})

t.test('If-None-Match: an unchanged answer is a 304', async (t) => {
  const { request } = await startReader(t)
  for (const path of [groups, one, `${one}/status`, '/v1/spot/demo/instances']) {
    const { headers: { etag = '' }, text } = await request('GET', path)
    t.match(etag, /^"[\w-]+"$/)
    for (const given of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const { status, text, headers } = await request('GET', path, { headers: { 'if-none-match': given } })
      t.strictSame([status, text, headers.etag], [304, '', etag], `${path} ${given}`)
    }
    const other = await request('GET', path, { headers: { 'if-none-match': '"other"' } })
    t.strictSame([other.status, other.text], [200, text])
  }
  const { headers: { etag } } = await request('GET', one)
  await request('PUT', one, { body: { description: 'another' } })
  const changed = await request('GET', one, { headers: { 'if-none-match': etag as string } })
  t.equal(changed.status, 200)
  t.not(changed.headers.etag, etag, 'a change changes it')
})

t.test('a read after a write shows what was written: the resource, its lists and what is below it', async (t) => {
  const { request } = await startReader(t, { freshFor: 60_000, staleFor: 60_000 })
  const description = async (path: string) => (await request('GET', path)).json
  await request('GET', one)
  await request('GET', groups)
  await request('GET', `${one}/status`)
  await request('PUT', one, { body: { description: 'new' } })
  t.equal((await description(one)).description, 'new')
  const listed = async () => (await request('GET', groups)).json
  t.equal((await listed()).find(({ id }: { id: string }) => one.endsWith(id)).description, 'new', 'in the list as well')

  await request('PUT', `${one}/capacity`, { body: { minimum: 0, target: 1, maximum: 8 } })
  t.equal((await request('GET', `${one}/capacity`)).json.target, 1, 'below the resource as well')
  t.equal((await request('GET', one)).json.capacity.target, 1)

  const before = (await listed()).length
  const created = await request('POST', groups, {
    body: { name: 'x', strategy: {}, capacity: { minimum: 0, target: 0, maximum: 1 }, compute: {} }
  })
  t.equal((await listed()).length, before + 1)
  await request('GET', created.headers.location as string)
  await request('DELETE', created.headers.location as string)
  t.equal((await request('GET', created.headers.location as string)).status, 404)
  t.equal((await listed()).length, before)
})

t.test('a read that was under way during a write is not remembered', async (t) => {
  const { request, sandbox } = await startReader(t, { freshFor: 60_000, staleFor: 60_000 })
  const { opened, open } = gate()
  sandbox.faults.inject({ method: 'GET', commit: 'first', latency: opened })
  const early = request('GET', one)
  await until(() => sandbox.transcript[0]?.route) // from here on Spot's answer is made
  await request('PUT', one, { body: { description: 'new' } })
  t.equal((await request('GET', one)).json.description, 'new', 'nor joined')
  open()
  t.not((await early).json.description, 'new')
  t.equal((await request('GET', one)).json.description, 'new')
})

t.test('while Spot fails, its last answer is given as stale', async (t) => {
  const { tick, passUntil } = stopTime(t)
  for (const [name, fault] of Object.entries({
    fails: { status: 500 }, 'breaks off': { kind: 'reset' }, 'limits calls': { status: 429 }
  } as const)) {
    const { request, sandbox } = await startReader(t, { freshFor: 0, staleFor: 60_000 })
    const { text } = await request('GET', one)
    sandbox.faults.inject({ ...fault, times: Infinity })
    tick(1100)
    const together = await passUntil(Promise.all([1, 2, 3].map(() => request('GET', one))))
    const [stale] = together as [Reply]
    t.strictSame(together.map((reply) => [reply.status, reply.text]), Array(3).fill([200, text]), `Spot ${name}`)
    t.match(stale.headers, { age: '1', 'cache-status': /^spot-api; hit; .*stale/ })
    t.ok((await passUntil(request('GET', `${groups}/sig-1a2b3c4d`))).status >= 429, 'what it never said is not made up')
    await passUntil(request('PUT', one, { body: { description: 'new' } }))
    t.ok((await passUntil(request('GET', one))).status >= 429, 'nor what a write may have changed')
  }
})

t.test('a stale answer older than staleFor is not given', async (t) => {
  const { tick, passUntil } = stopTime(t)
  const { request, sandbox } = await startReader(t, { freshFor: 0, staleFor: 60_000 })
  await request('GET', one)
  sandbox.faults.inject({ status: 500, times: Infinity })
  tick(50_000)
  t.equal((await passUntil(request('GET', one))).status, 200)
  tick(10_000)
  t.equal((await passUntil(request('GET', one))).status, 502)
})

t.test('nobody without a token gets anything out of memory', async (t) => {
  const { request } = await startReader(t)
  t.equal((await request('GET', one)).status, 200)
  for (const token of [null, 'garbage']) t.equal((await request('GET', one, { token })).status, 401)
})

const INTERLEAVINGS = FULL ? 2000 : 100
const CALLERS = 6

/** Callers that write to a group of their own, and read it, the list and the groups of others, at random. */
async function interleave (t: Test, gateways: Gateway[]) {
  const any = <T>(all: T[]) => all[Math.floor(Math.random() * all.length)] as T
  const capacity = { minimum: 0, target: 0, maximum: 1 }
  const body = { name: 'x', description: '0', strategy: {}, capacity, compute: {} }
  const own = await Promise.all(Array.from({ length: CALLERS }, async () =>
    (await any(gateways).request('POST', groups, { body })).headers.location as string))
  let old = 0
  let reads = 0
  await Promise.all(own.map(async (path) => {
    let written = 0
    for (let step = 0; step < INTERLEAVINGS / CALLERS; step++) {
      const { request } = any(gateways)
      if (Math.random() < 0.4) {
        const { status } = await request('PUT', path, { body: { description: String(written + 1) } })
        if (status === 200) written++
        continue
      }
      const read = any([path, path, groups, any(own)])
      const { json } = await request('GET', read)
      const shown = read === groups ? json.find(({ id }: { id: string }) => path.endsWith(id)) : json
      if (read !== path && read !== groups) continue
      reads++
      if (Number(shown.description) < written) old++
    }
  }))
  const servers = gateways.length
  t.comment(`${INTERLEAVINGS} calls of ${CALLERS} callers at ${servers} server(s): ${old} of ${reads} reads were old`)
  t.equal(old, 0, 'nobody sees less than it wrote')
}

const long = { freshFor: 5000, staleFor: 60_000 }

t.test('a caller reads what it wrote, in any order of reads and writes', async (t) => {
  await interleave(t, [await startReader(t, long)])
})

t.test('a caller reads what it wrote through either of two servers on one Redis', { skip: noRedis }, async (t) => {
  const { url } = await startRedis(t)
  const first = await startReader(t, long, { configuration: { state: { redis: url } } })
  const second = await startGateway(t, {
    endpoint: first.sandbox.url, configuration: { reads: long, state: { redis: url } }
  })
  await interleave(t, [first, second])
})

t.test('a Redis that is restored to before a write brings back no old answer', { skip: noRedis }, async (t) => {
  const redis = await startRedis(t)
  const { request, log } = await startReader(t, { freshFor: 600_000, staleFor: 600_000 }, {
    configuration: { state: { redis: redis.url } }
  })
  const client = new Redis(redis.url)
  client.on('error', () => {})
  t.teardown(() => client.disconnect())
  const result = async () => (await request('GET', one)).headers['cache-status']
  await until(async () => await result() === 'spot-api; hit') // the server connects to Redis once it listens
  const names = await client.keys('*counter*')
  const words = await client.mget(names)

  await request('PUT', one, { body: { description: 'new' } })
  await redis.stop()
  await request('GET', groups)
  await redis.start()
  await until(() => client.status === 'ready')
  await client.mset(Object.fromEntries(names.map((name, index) => [name, words[index] as string])))
  await until(() => log.some((line) => line.includes('Redis is back')))
  t.equal((await request('GET', one)).json.description, 'new')
})
