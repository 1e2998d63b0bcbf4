import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { Sandbox } from '../services/sandbox/index.js'
import { start, startGateway, type Gateway } from './helper.js'
import { noRedis, startRedis } from './redis.js'

/* A portal with many open tabs, in front of a Spot whose limit is far too small for them. */

const groups = '/v1/spot/demo/elastigroups'
const CLIENTS = 200
const RESOURCES = 20
/** Calls that Spot takes in 60 s on a route: enough to see everything once, and no more. */
const LIMIT = RESOURCES + 5
const SECONDS = process.env.CHAOS === 'full' ? 60 : 3
const reads = { freshFor: 1000, staleFor: 120_000 }
const body = { name: 'x', strategy: {}, capacity: { minimum: 0, target: 0, maximum: 1 }, compute: {} }

/** Groups that everybody polls, each seen once. */
async function resources (gateways: Gateway[]): Promise<string[]> {
  const [{ request }] = gateways as [Gateway]
  const paths: string[] = []
  for (let index = 0; index < RESOURCES; index++) {
    paths.push((await request('POST', groups, { body })).headers.location as string)
  }
  for (const { request } of gateways) for (const path of paths) await request('GET', path)
  return paths
}

/** Polls, each client once a second; counts the statuses, and how old answers were at most. */
async function poll (gateways: Gateway[], paths: string[], seconds: number) {
  const ends = performance.now() + seconds * 1000
  const statuses: Record<number, number> = {}
  let oldest = 0
  await Promise.all(Array.from({ length: CLIENTS }, async (_, client) => {
    await sleep(client * 1000 / CLIENTS)
    for (let turn = client; performance.now() < ends; turn++) {
      const { request } = gateways[client % gateways.length] as Gateway
      const { status, headers } = await request('GET', paths[turn % paths.length] as string)
      statuses[status] = (statuses[status] ?? 0) + 1
      oldest = Math.max(oldest, Number(headers.age ?? 0))
      await sleep(1000)
    }
  }))
  return { statuses, oldest }
}

/** Judges by what Spot saw so far. */
function judge (t: Test, { sandbox }: { sandbox: Sandbox }, { statuses, oldest }: Awaited<ReturnType<typeof poll>>) {
  const calls = sandbox.transcript.filter(({ method, route }) => method === 'GET' && route?.endsWith('{groupId}'))
  const answered = Object.values(statuses).reduce((sum, count) => sum + count, 0)
  t.comment(`${answered} reads, ${calls.length} calls to Spot, the oldest answer was ${oldest} s old`)
  t.strictSame(Object.keys(statuses), ['200'], 'no reader sees a 429')
  return calls.filter(({ status }) => status === 429).length
}

t.test('two hundred clients do not trip a limit of a few calls', async (t) => {
  const gateway = await start(t, { sandbox: { seed: false, rateLimit: LIMIT }, configuration: { reads } })
  const paths = await resources([gateway])
  t.equal(judge(t, gateway, await poll([gateway], paths, SECONDS)), 0, 'nothing is sent while Spot is blocked')

  const elsewhere = await gateway.request('GET', groups)
  t.equal(elsewhere.status, 200, 'another route is not affected')
  t.equal((await gateway.request('PUT', paths[0] as string, { body: { name: 'y' } })).status, 200, 'nor are writes')
})

t.test('nor with three servers on one Redis, which stops and comes back', { skip: noRedis }, async (t) => {
  const redis = await startRedis(t)
  const configuration = { reads, state: { redis: redis.url } }
  const limit = 3 * RESOURCES + 5
  const first = await start(t, { sandbox: { seed: false, rateLimit: limit }, configuration })
  const others = await Promise.all([1, 2].map(() => startGateway(t, { endpoint: first.sandbox.url, configuration })))
  const gateways = [first, ...others]
  const paths = await resources(gateways)

  t.equal(judge(t, first, await poll(gateways, paths, SECONDS / 2)), 0, 'nothing is sent while Spot is blocked')
  await redis.stop()
  // Each finds out with a call of another kind: of those that are used up, it asks nobody.
  for (const { request } of gateways) await request('GET', groups, { headers: { 'cache-control': 'no-cache' } })
  judge(t, first, await poll(gateways, paths, SECONDS / 2))
  const said = (form: string) => gateways.map(({ log }) => log.filter((line) => line.includes(form)).length)
  t.strictSame(said('keeps the rate limit of Spot alone'), [1, 1, 1], 'each says once that it goes on alone')
  await redis.start()
  for (let tries = 0; said('rate limit of Spot is shared again').includes(0) && tries < 100; tries++) await sleep(100)
  judge(t, first, await poll(gateways, paths, SECONDS / 2))
  t.strictSame(said('rate limit of Spot is shared again'), [1, 1, 1], 'and comes back')
})
