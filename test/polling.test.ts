import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import type { Sandbox } from '../sandbox/index.js'
import { endWith } from './children.js'
import { stopTime, type StoppedTime } from './clock.js'
import { start, startGateway, TOKEN, type Gateway } from './helper.js'
import { retryAfterOfElastigroup, retryAfterOfManagedInstance } from '../services/resources/readiness.js'
import { noRedis, startRedis } from './redis.js'
import { moment, until } from './until.js'
import { validInstance } from './valid-calls.js'

/* A portal with many open tabs, in front of a Spot whose limit is far too small for them. */

const groups = '/v1/spot/demo/elastigroups'
const FULL = process.env.CHAOS === 'full'
const CLIENTS = FULL ? 200 : 60
const RESOURCES = 20
/** Calls that Spot takes in 60 s on a route: enough to see everything once, and no more. */
const LIMIT = RESOURCES + 5
/** Longer than the window of Spot's limit; the tests put time forward, so that takes no minute. */
const SECONDS = FULL ? 90 : 3
const reads = { freshFor: 1000, staleFor: 120_000 }
const body = { name: 'x', strategy: {}, capacity: { minimum: 0, target: 0, maximum: 1 }, compute: {} }

/** Time that stops, and passes a millisecond for each `pass`. */
function stop (t: Test, pass = moment): StoppedTime {
  const { tick, passUntil } = stopTime(t)
  return { tick, passUntil: (work) => passUntil(work, pass) }
}

/** Groups that everybody polls, each seen once. */
async function resources (gateways: Gateway[], { passUntil }: StoppedTime): Promise<string[]> {
  const [{ request }] = gateways as [Gateway]
  const paths: string[] = []
  for (let index = 0; index < RESOURCES; index++) {
    paths.push((await passUntil(request('POST', groups, { body }))).headers.location as string)
  }
  for (const { request } of gateways) for (const path of paths) await passUntil(request('GET', path))
  return paths
}

/** Polls, each client once a second; counts the statuses, and how old answers were at most. */
async function poll (gateways: Gateway[], paths: string[], seconds: number, { tick, passUntil }: StoppedTime) {
  const statuses: Record<number, number> = {}
  let oldest = 0
  for (let second = 0; second < seconds; second++) {
    await passUntil(Promise.all(Array.from({ length: CLIENTS }, async (_, client) => {
      const { request } = gateways[client % gateways.length] as Gateway
      const { status, headers } = await request('GET', paths[(client + second) % paths.length] as string)
      statuses[status] = (statuses[status] ?? 0) + 1
      oldest = Math.max(oldest, Number(headers.age ?? 0))
    })))
    tick(1000)
  }
  return { statuses, oldest }
}

/** Judges by what Spot saw so far. */
function judge (
  t: Test, { sandbox }: { sandbox: Sandbox }, { statuses, oldest }: Awaited<ReturnType<typeof poll>>, alone = false
) {
  const calls = sandbox.transcript.filter(({ method, route }) => method === 'GET' && route?.endsWith('{groupId}'))
  const answered = Object.values(statuses).reduce((sum, count) => sum + count, 0)
  t.comment(`${answered} reads, ${calls.length} calls to Spot, the oldest answer was ${oldest} s old`)
  // Without Redis nothing is remembered, and so many calls Spot does not take.
  t.strictSame(Object.keys(statuses).filter((status) => !alone || status !== '429'), ['200'], 'no reader sees a 429')
  return calls.filter(({ status }) => status === 429).length
}

t.test('many clients that poll do not exceed a limit of a few calls', async (t) => {
  const time = stop(t)
  const gateway = await start(t, { sandbox: { seed: false, rateLimit: LIMIT }, configuration: { reads } })
  const paths = await resources([gateway], time)
  t.equal(judge(t, gateway, await poll([gateway], paths, SECONDS, time)), 0, 'nothing is sent while Spot is blocked')

  const elsewhere = await gateway.request('GET', groups)
  t.equal(elsewhere.status, 200, 'another route is not affected')
  t.equal((await gateway.request('PUT', paths[0] as string, { body: { name: 'y' } })).status, 200, 'nor are writes')
})

t.test('clients that poll three servers do not exceed the limit, though Redis stops', { skip: noRedis }, async (t) => {
  // On a busy machine an answer of Redis may take long: no time passes before it has given us one, while there is one.
  let connection: Redis | undefined
  const pass = async () => {
    await moment()
    await connection?.ping()
  }
  const time = stop(t, pass)
  const redis = await startRedis(t)
  const configuration = { reads, state: { redis: redis.url } }
  // A tenth is kept for reads that guard a write.
  const limit = 3 * RESOURCES + 10
  const first = await start(t, { sandbox: { seed: false, rateLimit: limit }, configuration })
  const others = await Promise.all([1, 2].map(() => startGateway(t, { endpoint: first.sandbox.url, configuration })))
  const gateways = [first, ...others]
  connection = new Redis(redis.url)
  t.teardown(() => connection?.disconnect())
  // Each has one for keys, for the limit and for the stamps of memory. Before they stand a server goes on alone.
  await until(async () => {
    time.tick(25)
    return String(await connection?.client('LIST')).trim().split('\n').length > 3 * gateways.length
  }, pass)
  const paths = await resources(gateways, time)

  t.equal(judge(t, first, await poll(gateways, paths, SECONDS / 3, time)), 0, 'nothing is sent while Spot is blocked')
  connection.disconnect()
  connection = undefined
  await redis.stop()
  // Each finds out with a call of another kind: of those that are used up, it asks nobody.
  const fresh = { headers: { 'cache-control': 'no-cache' } }
  for (const { request } of gateways) await time.passUntil(request('GET', groups, fresh))
  judge(t, first, await poll(gateways, paths, SECONDS / 3, time), true)
  const said = (form: string) => gateways.map(({ log }) => log.filter((line) => line.includes(form)).length)
  t.strictSame(said('counts only its own calls'), [1, 1, 1], 'each says once that it goes on alone')
  await redis.start()
  connection = new Redis(redis.url)
  await until(() => {
    time.tick(10)
    return ["share Spot's rate limit again", 'answers are remembered again'].every((line) => !said(line).includes(0))
  }, pass)
  time.tick(62_000) // what was sent meanwhile leaves Spot's window
  judge(t, first, await poll(gateways, paths, SECONDS / 3, time))
  t.strictSame(said("share Spot's rate limit again"), [1, 1, 1], 'and comes back')
})

t.test('a hundred who wait for the same cost one call each time', async (t) => {
  const { tick } = stopTime(t)
  const { request, sandbox } = await start(t, { sandbox: { seed: false }, configuration: { reads } })
  const { headers: { location: path } } = await request('POST', '/v1/spot/demo/instances', { body: validInstance })
  sandbox.clock.advance(15 * 60_000)
  await request('POST', `${path}/pause`)
  sandbox.clock.advance(15 * 60_000) // it is paused, and stays so
  const calls = () => sandbox.transcript.filter(({ route }) => route?.endsWith('/status')).length
  const began = Date.now()
  const waiters = Array.from({ length: 100 }, () => ({ at: began + Math.floor(10_000 * Math.random()) }))
  const waits = new Set<number>()
  /** What each does until then: asks, waits for Retry-After, asks again. @returns how often they were answered */
  async function goOn (end: number) {
    let answered = 0
    for (;;) {
      const next = waiters.reduce((one, other) => one.at <= other.at ? one : other)
      if (next.at >= end) return answered
      tick(next.at - Date.now())
      const { headers } = await request('GET', `${path}/readiness`)
      answered++
      waits.add(Number(headers['retry-after']))
      next.at += Number(headers['retry-after']) * 1000
    }
  }
  await goOn(began + 20_000) // they came one by one
  const before = calls()
  const answered = await goOn(began + 50_000)
  t.equal(answered, 600, 'each asks every 5 seconds, as it changed just now')
  t.equal(calls() - before, 6, 'and all of them cost one call')
  t.ok([...waits].every((seconds) => seconds >= 1 && seconds <= 5), [...waits].join())
})

t.test('the loop in docs/clients.md waits as long as it is told, and ends with an exit code', async (t) => {
  const { request, sandbox, url } = await start(t, { configuration: { reads } })
  const page = readFileSync(new URL('../docs/clients.md', import.meta.url), 'utf8')
  const [, loop = ''] = /```sh\n(while sleep [^`]*)```/.exec(page) ?? []
  t.equal(loop.trimEnd().split('\n').length, 5)
  /** Runs it with a sleep that only says how long. */
  async function run (path: string, token = TOKEN) {
    const child = spawn('sh', ['-c', `sleep() { echo "slept $1"; }\n${loop}`], {
      cwd: t.testdir({}), env: { ...process.env, TOKEN: token, GROUP: url + path }, stdio: ['ignore', 'pipe', 'inherit']
    })
    endWith(t, child)
    let said = ''
    child.stdout.on('data', (chunk) => { said += chunk })
    const ended = once(child, 'close')
    return { ended, said: () => said.trim().split('\n') }
  }
  const up = { ...body, capacity: { minimum: 0, target: 1, maximum: 1 } }
  const path = (await request('POST', groups, { body: up })).headers.location as string
  sandbox.faults.inject({ method: 'GET', status: 500, times: 6 })
  const loops = await run(path)
  await until(() => loops.said().length > 4)
  sandbox.clock.advance(15 * 60_000)
  t.strictSame(await loops.ended, [0, null])
  const [first, afterFault, ...others] = loops.said()
  t.strictSame([first, afterFault], ['slept 0', 'slept 15'], 'a failure has a wait of its own')
  t.match(others.at(-1), /^slept [1-5]$/, 'and Retry-After is followed')

  const refused = await run(path, '$2b$04$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa')
  t.strictSame([await refused.ended, JSON.parse(refused.said().at(-1) ?? '').status], [[1, null], 401])
  const absent = await run(`${groups}/sig-none`)
  t.strictSame([await absent.ended, JSON.parse(absent.said().at(-1) ?? '').status], [[1, null], 404])
})

t.test('the longer nothing changes, the later to ask again', async (t) => {
  const now = Date.parse('2026-11-26T12:00:00Z')
  const ago = (minutes: number) => new Date(now - minutes * 60_000).toISOString()
  const no = { ready: false, running: 0, target: 1, reasons: ['not yet'] }
  const group = (updatedAt?: string | null, rows: (string | null)[] = []) =>
    retryAfterOfElastigroup(no, { createdAt: ago(1000), updatedAt }, rows.map((createdAt) => ({ createdAt })), now)
  for (const [name, given, want] of [
    ['just now', group(ago(0)), '5'], ['a minute', group(ago(1)), '5'], ['five', group(ago(5)), '15'],
    ['half an hour', group(ago(30)), '30'], ['hours', group(ago(300)), '60'],
    ['by a new request', group(ago(300), [ago(200), ago(1)]), '5'],
    ['a clock that is ahead', group(ago(-5)), '5'], ['no date that is one', group('soon'), '60'],
    ['none', group(null), '60'],
    ['none at all', retryAfterOfElastigroup(no, {}, [{}], now), '15'],
    ['a new instance', retryAfterOfManagedInstance(no, { status: 'PENDING', createdAt: ago(1) }, now), '5'],
    ['an old one, at work', retryAfterOfManagedInstance(no, { status: 'RESUMING', createdAt: ago(1000) }, now), '15'],
    ['an old one, paused', retryAfterOfManagedInstance(no, { status: 'PAUSED', createdAt: ago(1000) }, now), '60'],
    ['nothing known', retryAfterOfManagedInstance(no, {}, now), '15']
  ] as const) t.strictSame(given, { 'Retry-After': want }, name)
  t.strictSame(retryAfterOfManagedInstance({ ...no, ready: true }, {}, now), {}, 'what is ready is not waited for')
})
