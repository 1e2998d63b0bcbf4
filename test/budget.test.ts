import fc from 'fast-check'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { document, operationsOf } from '../openapi/document.js'
import { Allowance, type Ticket } from '../services/budget/allowance.js'
import { redisAllowances, type SharedTicket } from '../services/budget/redis.js'
import { WINDOW, type Heard, type Quota } from '../services/budget/quota.js'
import type { Configuration } from '../services/configuration/index.js'
import type { RecordedCall } from '../services/sandbox/index.js'
import { OPERATIONS } from '../services/sandbox/operations.js'
import { RateLimit, type Standing } from '../services/sandbox/protocol/rate-limit.js'
import { stopTime } from './clock.js'
import { start, startGateway, type Gateway, type GatewayOptions, type Reply } from './helper.js'
import { noRedis, startRedis } from './redis.js'
import { until } from './until.js'
import { validCall } from './valid-calls.js'

const quota = (remaining: number, reset = 30_000, limit = 10): Quota => ({ limit, remaining, reset, blocked: false })
const blocked = (reset: number): Quota => ({ limit: 10, remaining: 0, reset, blocked: true })

/** An allowance with a clock to turn, whose calls have the names of letters. */
function turned () {
  const allowance = new Allowance()
  const tickets = new Map<string, Ticket>()
  let now = 0
  return {
    allowance,
    at (time: number) { now = time },
    /** Asks for a call: true when it may be sent. */
    take (name: string): boolean {
      const answer = allowance.reserve(now)
      if (!('wait' in answer)) tickets.set(name, answer)
      return !('wait' in answer)
    },
    refused () {
      const answer = allowance.reserve(now)
      return 'wait' in answer ? [answer.wait, answer.hope] : undefined
    },
    told (name: string, heard: Heard) { allowance.settle(tickets.get(name) as Ticket, heard, now) }
  }
}

t.test('a call is sent where there is room for certain', async (t) => {
  type Step = (a: ReturnType<typeof turned>) => unknown
  const take = (name: string): Step => (a) => a.take(name)
  const told = (name: string, heard: Heard): Step => (a) => { a.told(name, heard) }
  const at = (time: number): Step => (a) => { a.at(time) }
  const refused: Step = (a) => a.refused()
  const left: Step = (a) => a.allowance.remaining
  const all = (...names: string[]): Step => (a) => names.every((name) => a.take(name))
  const rows: [name: string, steps: [Step, unknown?][]][] = [
    ['nothing is known: one asks, the others hope', [[take('a'), true], [take('b'), false], [refused, [0, true]]]],
    ['the first answer says how many', [[take('a')], [told('a', quota(2))], [all('b', 'c'), true], [take('d'), false]]],
    ['what is used up for long gives no hope', [
      [take('a')], [told('a', quota(1))], [take('b'), true], [refused, [30_000, false]]
    ]],
    ['an answer may not count what is on its way', [
      [take('a')], [told('a', quota(9))], [all('b', 'c', 'd')], [told('d', quota(8))], [left, 6]
    ]],
    ['nor what ended while it was on its way', [
      [take('a')], [told('a', quota(9))], [all('b', 'c')], [told('b', quota(7))], [told('c', quota(8))], [left, 7]
    ]],
    ['once nothing is on its way, the lowest is certain', [
      [take('a')], [told('a', quota(3))], [all('b', 'c')], [told('b', quota(2))], [told('c', quota(1))],
      [take('d'), true], [take('e'), false]
    ]],
    ['answers of older calls only lower it', [
      [take('a')], [told('a', quota(9))], [all('b', 'c')], [told('c', quota(4))], [told('b', quota(9))], [left, 3]
    ]],
    ['others that use the limit are noticed', [
      [take('a')], [told('a', quota(9))], [take('b')], [told('b', quota(0))], [refused, [30_000, false]]
    ]],
    ['after the reset one asks', [
      [take('a')], [told('a', quota(0, 1000))], [at(999)], [take('b'), false], [at(1000)], [take('b'), true],
      [refused, [0, true]], [told('b', quota(5))], [take('c'), true]
    ]],
    ['one that never left gives its place back', [
      [take('a')], [told('a', quota(1))], [take('b')], [told('b', 'unsent')], [take('c'), true], [take('d'), false]
    ]],
    ['and the one that asks, its turn', [
      [take('a'), true], [told('a', 'unsent')], [take('b'), true], [take('c'), false]
    ]],
    ['a lost answer takes its place with it', [
      [take('a')], [told('a', quota(2))], [take('b')], [told('b', undefined)], [left, 1]
    ]],
    ['a lost answer where nothing is known leaves it so', [[take('a')], [told('a', undefined)], [take('b'), true]]],
    ['the place of the reset, once lost, comes back with the window', [
      [take('a')], [told('a', quota(0, 1000))], [at(1000)], [take('b'), true], [told('b', undefined)],
      [refused, [WINDOW, false]]
    ]],
    ['a 429 blocks until its reset, whatever others are told', [
      [take('a')], [told('a', quota(9))], [all('b', 'c')], [told('b', blocked(5000))], [told('c', quota(8))],
      [at(4999)], [refused, [1, false]], [at(5000)], [take('d'), true]
    ]],
    ['a reset that can not be is not believed', [[take('a')], [told('a', blocked(1e12))], [refused, [600_000, false]]]],
    ['where no limit is told there is none', [
      [take('a')], [told('a', { limit: undefined, remaining: 1e9, reset: 0, blocked: false })], [all('b', 'c'), true]
    ]],
    ['a success without numbers takes back no limit', [
      [take('a')], [told('a', quota(1))], [take('b')],
      [told('b', { limit: undefined, remaining: 1e9, reset: 0, blocked: false })], [take('c'), false]
    ]]
  ]
  for (const [name, steps] of rows) {
    const a = turned()
    const done = steps.map(([step]) => step(a))
    t.strictSame(done, steps.map(([, want], i) => want ?? done[i]), name)
  }
})

t.test('a route is forgotten once all has left the window', async (t) => {
  const { allowance, take, told, at } = turned()
  take('a')
  at(5)
  t.notOk(allowance.forgotten(5 + WINDOW), 'not while a call is on its way')
  told('a', quota(3))
  t.notOk(allowance.forgotten(4 + WINDOW))
  t.ok(allowance.forgotten(5 + WINDOW))
  at(5 + WINDOW)
  take('b')
  told('b', blocked(70_000))
  t.notOk(allowance.forgotten(5 + 2 * WINDOW), 'nor while it is blocked')
})

type Move = { is: 'send' } | { is: 'wait', ms: number } | { is: 'arrive' | 'answer' | 'lose', which: number }

const moves = fc.array(fc.oneof(
  { weight: 6, arbitrary: fc.record({ is: fc.constant('send' as const) }) },
  { weight: 1, arbitrary: fc.record({ is: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 40_000 }) }) },
  { weight: 1, arbitrary: fc.record({ is: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 50 }) }) },
  { weight: 5, arbitrary: fc.record({ is: fc.constant('arrive' as const), which: fc.nat(30) }) },
  { weight: 5, arbitrary: fc.record({ is: fc.constant('answer' as const), which: fc.nat(30) }) },
  { weight: 1, arbitrary: fc.record({ is: fc.constant('lose' as const), which: fc.nat(30) }) }
), { minLength: 20, maxLength: 300 })

/** Plays a sequence against a simulated Spot, where calls arrive and are answered in any order. */
function play (limit: number, sequence: Move[]) {
  const spot = new RateLimit(limit)
  let allowance = new Allowance()
  let now = 0
  const onTheirWay: Ticket[] = []
  const served: { ticket: Ticket, standing: Standing }[] = []
  const count = { sent: 0, refused: 0, blocked: 0 }
  const heard = ({ limit, remaining, reset, blocked }: Standing): Quota =>
    ({ limit, remaining, reset: reset * 1000, blocked })
  const pick = <T>(list: T[], which: number): T | undefined => list.splice(which % (list.length || 1), 1)[0]

  for (const move of sequence) {
    if (move.is === 'wait') now += move.ms
    if (move.is === 'send') {
      if (allowance.forgotten(now)) allowance = new Allowance()
      const answer = allowance.reserve(now)
      if ('wait' in answer) count.refused++
      else count.sent = onTheirWay.push(answer) && count.sent + 1
    }
    if (move.is === 'arrive') {
      const ticket = pick(onTheirWay, move.which)
      if (!ticket) continue
      const standing = spot.count('route', now)
      if (standing.blocked) count.blocked++
      served.push({ ticket, standing })
    }
    if (move.is === 'answer') {
      const answer = pick(served, move.which)
      if (answer) allowance.settle(answer.ticket, heard(answer.standing), now)
    }
    if (move.is === 'lose') {
      // Before it left; or after it was served, once anything is known: until then only a call can tell.
      const ticket = pick(onTheirWay, move.which)
      const answer = ticket || allowance.limit === undefined ? undefined : pick(served, move.which)
      if (ticket) allowance.settle(ticket, 'unsent', now)
      if (answer) allowance.settle(answer.ticket, undefined, now)
    }
  }
  return count
}

t.test('whatever the order, Spot never answers 429', async (t) => {
  let sent = 0
  let refused = 0
  fc.assert(fc.property(fc.integer({ min: 1, max: 20 }), moves, (limit, sequence) => {
    const count = play(limit, sequence)
    sent += count.sent
    refused += count.refused
    return count.blocked === 0
  }), { numRuns: Number(process.env.SEQUENCES ?? 5000) })
  t.ok(sent > 0 && refused > 0, `${sent} calls were sent, ${refused} refused, and none too many`)
})

t.test('and the whole limit can be used', async (t) => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 50 }), fc.array(fc.nat(30), { maxLength: 200 }), (limit, order) => {
    const rounds = order.flatMap((which): Move[] =>
      [{ is: 'send' }, { is: 'send' }, { is: 'arrive', which }, { is: 'answer', which }])
    const all = Array.from({ length: 400 }, (): Move[] =>
      [{ is: 'arrive', which: 0 }, { is: 'answer', which: 0 }, { is: 'send' }]).flat()
    return play(limit, [...rounds, ...all]).sent === limit
  }), { numRuns: 500 })
  t.pass()
})

const groups = '/v1/spot/demo/elastigroups'

/** A gateway in front of a Spot with a small limit. */
async function startLimited (t: Test, rateLimit: number, options: GatewayOptions = {}) {
  return limited(await start(t, { ...options, sandbox: { rateLimit } }))
}

function limited (gateway: Awaited<ReturnType<typeof start>>) {
  const { transcript } = gateway.sandbox
  const one = `${groups}/sig-0f3ac1d2`
  return {
    ...gateway,
    one,
    /** Reads of one route, each different from all others. */
    reads: (count: number, { request }: Pick<Gateway, 'request'> = gateway, path = one) =>
      Promise.all(Array.from({ length: count }, (_, i) => request('GET', `${path}/logs?limit=${i + 1}`))),
    refusals: () => transcript.filter(({ status }) => status === 429).length,
    sent: (route: string) => transcript.filter((call) => call.route?.endsWith(route)).length
  }
}

const statuses = (replies: Reply[]) => replies.map(({ status }) => status).sort()

t.test('fifty reads at once never trip a limit of three', async (t) => {
  const { tick } = stopTime(t)
  const { request, reads, refusals, sent, one, log } = await startLimited(t, 3)
  const replies = await reads(50) // while time stands still: nobody waits for the minute to pass
  t.strictSame(statuses(replies), [...Array(3).fill(200), ...Array(47).fill(429)])
  for (const { status, headers, json } of replies.filter(({ status }) => status !== 200)) {
    t.match({ status, json, headers }, {
      json: { type: /:spot-rate-limited$/, upstream: undefined },
      headers: { 'retry-after': '60', ratelimit: '"spot";r=0;t=60', 'ratelimit-policy': '"spot";q=3;w=60' }
    })
  }
  t.strictSame(statuses(await reads(20)), Array(20).fill(429))
  t.strictSame([sent('/logs'), refusals()], [3, 0], 'nothing is sent that would prolong it')

  t.equal((await request('GET', one)).status, 200, 'another route goes on')
  t.equal((await request('PUT', `${one}/capacity`, { body: { minimum: 0, target: 0, maximum: 1 } })).status, 200)

  tick(1000)
  const { text } = await request('GET', '/v1/spot/metrics')
  const labels = (route: string) => `{organization="demo",route="${route}",method="GET"}`
  const blocked = `spot_api_upstream_blocked_seconds_total${labels('listElastigroupLogs')} 1\n`
  t.match(text, blocked, 'the metrics say for how long')
  t.match(text, `spot_api_upstream_budget_remaining${labels('listElastigroupLogs')} 0\n`)
  t.match(text, `spot_api_upstream_budget_remaining${labels('getElastigroup')} 2\n`)
  t.notMatch(text, `spot_api_upstream_blocked_seconds_total${labels('getElastigroup')}`)
  t.match(text, 'spot_api_upstream_requests_total{calls="reads",outcome="success"} 4\n', 'with the group')
  t.match(text, 'spot_api_upstream_requests_total{calls="reads",outcome="rate-limited"} 0\n', 'refused here is no call')
  const lines = log.map((line) => JSON.parse(line)).filter(({ msg }) => /calls of this kind/.test(msg))
  t.match(lines, [{ level: 40, organization: 'demo', route: 'listElastigroupLogs', method: 'GET', seconds: Number }])
  t.equal(lines.length, 1, 'the log says so once')
})

t.test('a call waits for a reset that is near, and then goes', async (t) => {
  const { tick } = stopTime(t)
  const { reads, request, refusals, sent, one } = await startLimited(t, 3)
  await request('GET', `${one}/logs`)
  tick(58_500)
  for (let i = 0; i < 2; i++) await reads(1)
  const fourth = reads(1)
  tick(1499)
  await request('GET', one)
  t.equal(sent('/logs'), 3, 'one that came later is answered, and it still waits')
  tick(501) // Spot tells the reset in whole seconds
  t.strictSame(statuses(await fourth), [200], 'once the oldest call has left the window')
  t.strictSame([sent('/logs'), refusals()], [4, 0])
})

t.test('a 429 of Spot stops the route, and a caller is told as much', async (t) => {
  const { tick } = stopTime(t)
  const { request, reads, sandbox, sent, one, log } = await startLimited(t, 100)
  const reset = { 'x-ratelimit-limit': '100', 'x-ratelimit-reset': '3' }
  sandbox.faults.inject({ method: 'GET', status: 429, headers: reset })
  const { status, headers, json } = await request('GET', `${one}/logs`)
  t.match({ status, headers, upstream: json.upstream }, {
    status: 429,
    headers: { 'retry-after': '3', ratelimit: '"spot";r=0;t=3', 'ratelimit-policy': '"spot";q=100;w=60' },
    upstream: { status: 429 }
  })
  t.strictSame(statuses(await reads(10)), Array(10).fill(429))
  t.equal(sent('/logs'), 1)
  tick(1000)
  const ten = reads(10)
  await request('GET', one)
  t.equal(sent('/logs'), 1, 'now the reset is near enough to wait')
  tick(2000)
  t.strictSame(statuses(await ten), Array(10).fill(200))
  const words = log.map((line) => JSON.parse(line).msg).filter((msg) => /calls of this kind/.test(msg))
  t.strictSame(words, ['Spot takes no more calls of this kind', 'Spot takes calls of this kind again'])
})

t.test('a second try needs a place too', async (t) => {
  const { request, sandbox, refusals, sent, one, reads } = await startLimited(t, 2)
  await reads(1)
  sandbox.faults.inject({ method: 'GET', kind: 'reset' })
  t.strictSame(statuses(await reads(1)), [429])

  const body = { name: 'x', strategy: {}, capacity: { minimum: 0, target: 0, maximum: 1 }, compute: {} }
  const made = await request('POST', groups, { body })
  await request('DELETE', made.headers.location as string)
  sandbox.faults.inject({ method: 'DELETE', kind: 'reset', commit: 'first' })
  const { status, json } = await request('DELETE', one)
  t.match({ status, json }, { status: 504, json: { type: /:outcome-unknown$/ } }, 'a delete that may have happened')
  t.strictSame([sent('/logs'), refusals()], [2, 0])
})

t.test('accounts with one token share what Spot counts together', async (t) => {
  const access = [
    { id: 'act-1', token: 'one-vendor-token' }, { id: 'act-2', token: 'one-vendor-token' },
    { id: 'act-3', token: 'another-vendor-token' }
  ]
  const { sandbox } = await start(t, { sandbox: { rateLimit: 3, accounts: access } })
  const [one, two, three] = access.map((account) => ({ ...account, endpoint: sandbox.url }))
  const { request } = await startGateway(t, {
    configuration: { accounts: { one, two, three: { ...three, organization: 'third' } } as Configuration['accounts'] }
  })
  const names = Array.from({ length: 12 }, (_, i) => ['one', 'two', 'three'][i % 3])
  const replies: Reply[] = []
  for (const name of names) { // one after the other: at once, they would share calls
    replies.push(await request('GET', `/v1/spot/${name}/elastigroups`, { headers: { 'cache-control': 'no-cache' } }))
  }
  t.strictSame(statuses(replies), [...Array(6).fill(200), ...Array(6).fill(429)])
  t.strictSame(sandbox.transcript.filter(({ status }) => status === 429), [])
  const { text } = await request('GET', '/v1/spot/metrics')
  const organizations = [...text.matchAll(/budget_remaining\{organization="(.+?)"/g)].map(([, name]) => name)
  t.strictSame(organizations, ['one', 'third'], 'and are named for the first of them, or as configured')
  t.notMatch(text, /vendor-token/)
})

t.test('operations are one to one with what Spot counts by', async (t) => {
  const { request, sandbox, log, one } = await startLimited(t, 1e6, { configuration: { logLevel: 'debug' } })
  const [instance] = (await request('GET', '/v1/spot/demo/instances')).json
  const elastigroup = one.split('/').at(-1) ?? ''
  const ids: Record<string, string> = { account: 'demo', elastigroup, instance: instance.id }
  for (const operation of operationsOf(document)) {
    const { query, body } = validCall(operation.operation)
    const path = operation.path.replace(/\{(\w+)\}/g, (_, name) => ids[name] ?? `${name}-1`)
    if (path.includes('/demo')) await request(operation.method.toUpperCase(), path + query, { body })
  }
  const operations = log.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'call to Spot ended')
  const pairs = new Set(operations.map(({ operation }, i) => {
    const { method, route } = sandbox.transcript[i] as RecordedCall
    return `${operation} is ${method} ${route}`
  }))
  const halves = [...pairs].map((pair) => pair.split(' is '))
  const known = new Set(OPERATIONS.map(({ method, path }) => `${method} ${path}`))
  t.equal(new Set(halves.map(([operation]) => operation)).size, pairs.size)
  t.equal(new Set(halves.map(([, route]) => route)).size, pairs.size)
  t.strictSame(halves.filter(([, route]) => !known.has(route ?? '')), [])
  t.ok(pairs.size >= 35, `${pairs.size} of them`)
})

t.test('through Redis', { skip: noRedis }, async (t) => {
  const words = { gone: /^Redis can not be used/, back: /^Redis is back/ }
  const said = ({ log }: Pick<Gateway, 'log'>, form: RegExp) =>
    log.filter((line) => form.test(JSON.parse(line).msg)).length
  const count = (list: string, form: RegExp) => list.match(form)?.length ?? 0

  /** Three gateways in front of one Spot, with one Redis. Time stands still: none loses patience with Redis. */
  async function startThree (t: Test, rateLimit: number) {
    const { tick, passUntil } = stopTime(t)
    const server = await startRedis(t)
    const state = { redis: server.url }
    const first = await start(t, { configuration: { state }, sandbox: { rateLimit } })
    const others = await Promise.all([1, 2].map(() =>
      startGateway(t, { endpoint: first.sandbox.url, configuration: { state } })))
    const gateways = [first, ...others]
    const redis = new Redis(server.url)
    // The last command of a connection for the limit, once it stands. Before that a gateway goes on alone.
    await until(async () => count(String(await redis.client('LIST')), / cmd=ping /g) === gateways.length)
    redis.disconnect()
    return {
      ...limited(first),
      server,
      first,
      gateways,
      tick,
      passUntil,
      /** Puts time forward until these gateways are with Redis again, as often as they were without it. */
      together: (...some: Gateway[]) => until(() => {
        tick(10)
        return some.every((gateway) => said(gateway, words.gone) === 1 && said(gateway, words.back) === 1)
      })
    }
  }

  t.test('three gateways share one limit', async (t) => {
    const { gateways, reads, refusals, sent, passUntil } = await startThree(t, 30)
    const replies = (await passUntil(Promise.all(gateways.map((gateway) => reads(40, gateway))))).flat()
    t.strictSame(statuses(replies), [...Array(30).fill(200), ...Array(90).fill(429)], 'and use all of it')
    t.strictSame([sent('/logs'), refusals()], [30, 0])
    for (const gateway of gateways) t.equal(said(gateway, words.gone), 0)
  })

  t.test('when Redis stops, each goes on alone, and comes back with it', async (t) => {
    const { gateways, reads, refusals, server, passUntil, together } = await startThree(t, 1000)
    const round = async () => (await passUntil(Promise.all(gateways.map((gateway) => reads(10, gateway))))).flat()
    const all = Array(30).fill(200)
    t.strictSame(statuses(await round()), all)
    const during = round()
    await server.stop()
    t.strictSame(statuses([...await during, ...await round(), ...await round()]), [...all, ...all, ...all])
    for (const gateway of gateways) t.strictSame([said(gateway, words.gone), said(gateway, words.back)], [1, 0])
    await server.start()
    await together(...gateways)
    t.strictSame(statuses(await round()), all)
    for (const gateway of gateways) t.strictSame([said(gateway, words.gone), said(gateway, words.back)], [1, 1])
    t.equal(refusals(), 0)
  })

  t.test('what a gateway was told itself, it knows when Redis has forgotten it', async (t) => {
    const { first, reads, refusals, server, sent, passUntil, together } = await startThree(t, 3)
    t.strictSame(statuses(await passUntil(reads(6))), [200, 200, 200, 429, 429, 429])
    await server.stop()
    t.strictSame(statuses(await reads(6)), Array(6).fill(429))
    await server.start()
    // Nothing asks Redis on a route that is known to be used up, so another one has to find out.
    await first.request('GET', '/v1/spot/demo/instances')
    await together(first)
    t.strictSame(statuses(await reads(6)), Array(6).fill(429))
    t.strictSame([sent('/logs'), refusals()], [3, 0])
  })

  t.test('a Redis that hangs holds up no call for long', async (t) => {
    const { first, reads, server, tick, passUntil, together } = await startThree(t, 1000)
    t.strictSame(statuses(await passUntil(reads(1))), [200])
    server.freeze()
    const held = reads(1)
    await until(() => {
      tick(1)
      return said(first, words.gone) === 1
    })
    // From here on time stands still: nobody waits for anything but Spot.
    t.strictSame(statuses(await held), [200], 'the first finds out')
    for (let i = 0; i < 20; i++) t.strictSame(statuses(await reads(1)), [200], 'the others do not wait')
    server.thaw()
    await together(first)
  })

  t.test('Redis reckons as the memory does', async (t) => {
    const server = await startRedis(t)
    const allowances = await redisAllowances(server.url, 60_000)
    t.teardown(() => allowances.close())
    let route = 0
    const numbers = fc.record({
      limit: fc.constant(20), remaining: fc.nat(20), reset: fc.constantFrom(0, 400_000), blocked: fc.constant(false)
    })
    const unlimited = { limit: undefined, remaining: 1e9, reset: 0, blocked: false }
    const rest = fc.constantFrom<Heard>(undefined, 'unsent', blocked(400_000), blocked(0), unlimited)
    const heards = fc.oneof({ weight: 3, arbitrary: numbers }, { weight: 1, arbitrary: rest })
    const steps = fc.array(fc.oneof(
      fc.constant('reserve' as const), fc.record({ which: fc.nat(20), heard: heards })
    ), { minLength: 10, maxLength: 60 })
    await fc.assert(fc.asyncProperty(steps, async (steps) => {
      const name = `route-${route++}`
      const allowance = new Allowance()
      const open: [Ticket, SharedTicket][] = []
      for (const step of steps) {
        if (step === 'reserve') {
          const [own, shared] = [allowance.reserve(performance.now()), await allowances.reserve(name, 60_000)]
          if ('wait' in own || 'wait' in shared) {
            const far = ({ wait }: { wait: number }) => wait > 1000
            if (!('wait' in own && 'wait' in shared)) return false
            if (own.hope !== shared.hope || own.limit !== shared.limit || far(own) !== far(shared)) return false
          } else {
            if (own.sequence !== shared.sequence || own.ended !== shared.ended) return false
            open.push([own, shared])
          }
        } else {
          const [found] = open.splice(step.which % (open.length || 1), 1)
          if (!found) continue
          allowance.settle(found[0], step.heard, performance.now())
          await allowances.settle(name, found[1], step.heard)
        }
      }
      return true
    }), { numRuns: 200 })
    t.pass('call by call')
  })

  t.test('the places of a server that died come back', async (t) => {
    const server = await startRedis(t)
    const allowances = await redisAllowances(server.url, 60_000)
    t.teardown(() => allowances.close())
    const reserve = async (route: string, lease: number) => 'epoch' in await allowances.reserve(route, lease)
    t.ok(await reserve('of one that lives', 60_000))
    t.notOk(await reserve('of one that lives', 60_000))
    t.ok(await reserve('of one that died', 1))
    await until(() => reserve('of one that died', 60_000)) // another one asks, once a millisecond is over
    t.notOk(await reserve('of one that died', 60_000))
  })
})
