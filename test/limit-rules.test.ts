import fc from 'fast-check'
import t from 'tap'
import { RedisWindow } from '../services/spot/stages/limit/redis-window.js'
import { RouteWindow, type Send } from '../services/spot/stages/limit/window.js'
import { quotaOf } from '../services/spot/wire/quota.js'
import { blocked, CASES, failuresOf, quota } from './limit-cases.js'
import { noRedis, startRedis } from './redis.js'

t.test('rules of the rate limit, in memory', async (t) => {
  for (const [name, steps] of CASES) t.strictSame(await failuresOf(steps, new RouteWindow(), 1_000_000), [], name)
})

t.test('rules of the rate limit, in Redis', { skip: noRedis }, async (t) => {
  const { url } = await startRedis(t)
  let now = 0
  const window = new RedisWindow(url, () => now)
  await window.connect()
  t.teardown(() => window.close())
  for (const [name, steps] of CASES) {
    t.strictSame(await failuresOf(steps, {
      enter (at, ask) {
        now = at
        return window.enter(name, ask)
      },
      async leave (at, send, feedback) {
        now = at
        await window.leave(name, send.client, send as Parameters<typeof window.leave>[2], feedback)
      }
    }, 1_000_000), [], name)
  }
})

t.test('the rate limits in memory and in Redis decide alike, call by call', { skip: noRedis }, async (t) => {
  const { url } = await startRedis(t)
  let now = 1_000_000
  let routes = 0
  const shared = new RedisWindow(url, () => now)
  await shared.connect()
  t.teardown(() => shared.close())
  const tells = fc.oneof(
    { weight: 6, arbitrary: fc.nat(20).map((remaining) => quota(20, remaining)) },
    fc.constantFrom(undefined, 'unsent' as const, blocked(0), blocked(3000, 20), quota(Infinity, Infinity))
  )
  const steps = fc.array(fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ client: fc.constantFrom('a', 'b'), reserved: fc.boolean(), ahead: fc.nat(2) })
    },
    { weight: 4, arbitrary: fc.record({ which: fc.nat(20), feedback: tells }) },
    { weight: 1, arbitrary: fc.record({ wait: fc.constantFrom(1, 500, 2000, 30_000, 60_000) }) }
  ), { minLength: 10, maxLength: 80 })
  await fc.assert(fc.asyncProperty(steps, async (steps) => {
    const route = `route-${routes++}`
    const own = new RouteWindow()
    const open: [Send, Send][] = []
    for (const step of steps) {
      if ('wait' in step) {
        now += step.wait
      } else if ('which' in step) {
        const [pair] = open.splice(step.which % (open.length || 1), 1)
        if (!pair) continue
        own.leave(now, pair[0], step.feedback)
        await shared.leave(route, pair[0].client, pair[1] as Parameters<typeof shared.leave>[2], step.feedback)
      } else {
        const ask = { ...step, share: 0.5, aheadOwn: 0, lease: 1e6 }
        const replies = [own.enter(now, ask), await shared.enter(route, ask)] as const
        const [first, second] = replies.map((reply) => ({ ...reply, id: undefined }))
        t.strictSame(second, first)
        if (JSON.stringify(first) !== JSON.stringify({ ...first, ...second })) return false
        if (!('wait' in replies[0]) && !('wait' in replies[1])) open.push([replies[0], replies[1]])
      }
    }
    return true
  }), { numRuns: 60 })
})
t.test('an impossible reset counts as a minute', async (t) => {
  const reset = (value: string) => quotaOf(429, { 'x-ratelimit-limit': '10', 'x-ratelimit-reset': value })?.reset
  for (const value of ['1760000000', '601', '-1', '', 'soon', 'Infinity']) t.equal(reset(value), 60_000, value)
  t.equal(reset('600'), 600_000)
  t.equal(reset('0'), 0)
})
