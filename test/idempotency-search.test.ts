import t from 'tap'
import { byMarker, withMarker } from '../services/idempotency/index.js'
import { MarkerSearch } from '../services/idempotency/search.js'
import { DEADLINE, endOf, replyFor, reported, SETTLE, World } from './key-world.js'
import { VirtualClock } from './virtual-clock.js'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

t.test('every attempt of a key carries the same random marker', async (t) => {
  const world = new World()
  const server = world.server()
  for (const key of ['k', 'other']) {
    await endOf(world, server.once({ ends: 'lost' }, server.create(key)))
    await endOf(world, server.once({}, server.create(key)))
  }
  const [first, again, other] = world.sent
  t.equal(first, again, 'the same for a key')
  t.not(first, other, 'another for another')
  const real = await import('../services/idempotency/key.js')
  t.match(real.randomWord(), /^[0-9a-f]{32}$/)
  t.not(real.randomWord(), real.randomWord())
})

t.test('while Spot cannot be searched, a create is not sent again', async (t) => {
  const world = new World()
  const server = world.server()
  await endOf(world, server.once({ ends: 'lost', madeAfter: 3000 }))
  world.isDown = true
  await world.clock.advance(600)
  await world.outcome(server.idempotency.sweep())
  await world.clock.advance(HOUR)
  await world.outcome(server.idempotency.sweep())
  t.equal(await endOf(world, server.once()), 'outcome-unknown')
  world.isDown = false
  t.equal(await endOf(world, server.once()), '/groups/1')
  t.equal(world.sent.length, 1)
})

t.test('a create from the copy of a group drops the marker of the original', async (t) => {
  const tag = { tagKey: 'a', tagValue: 'b' }
  const marker = (tagValue: string) => ({ tagKey: 'spot-api:idempotency-key', tagValue })
  const group = (...tags: object[]) => ({ name: 'x', compute: { k: 1, launchSpecification: { k: 1, tags } } })
  t.strictSame(withMarker(group(marker('old'), tag), 'new'), group(tag, marker('new')))
  t.strictSame(withMarker(group(marker('old'), tag), undefined), group(tag), 'nor without a key')
  const same = group(tag)
  t.equal(withMarker(same, undefined), same)
  t.strictSame(withMarker({ name: 'x', compute: null }, 'new'), {
    name: 'x', compute: { launchSpecification: { tags: [marker('new')] } }
  })
  const found = byMarker([group(marker('1'), marker('1')), group(null as never, marker('2'))], () => replyFor('/'))
  t.strictSame([...found].map(([word, replies]) => [word, replies.length]), [['1', 1], ['2', 1]])
})

t.test('a duplicate that appears late is reported as an event and in the next answer', async (t) => {
  const world = new World()
  const server = world.server()
  await endOf(world, server.once({ ends: 'lost', madeAfter: 40 * MINUTE }))
  t.equal(await endOf(world, server.once()), '/groups/1')
  t.strictSame([world.made.length, world.sent.length], [1, 2], 'it was looked for, and sent again')
  const another = world.server()
  await another.idempotency.recall()
  for (let minutes = 0; minutes < 120; minutes++) {
    await world.clock.advance(MINUTE)
    await world.outcome(another.idempotency.sweep())
  }
  t.strictSame(world.events.filter(([event]) => event === 'duplicates'), [['duplicates', ['/groups/1', '/groups/2']]])
  t.equal(await endOf(world, server.once()), 'duplicates-found')
  world.made.shift()
  t.equal(await endOf(world, server.once()), '/groups/2', 'once somebody chose, that is the reply')
})

t.test('a duplicate that appears late is reported even if the first one was deleted', async (t) => {
  const world = new World()
  const server = world.server()
  await endOf(world, server.once({ ends: 'lost', madeAfter: 3 * MINUTE }))
  t.equal(await endOf(world, server.once()), '/groups/1')
  await world.clock.advance(4 * MINUTE)
  world.made.shift()
  await world.clock.advance(MINUTE)
  await world.outcome(server.idempotency.sweep())
  t.strictSame(world.events.filter(([event]) => event === 'duplicates'), [['duplicates', ['/groups/2']]])
})

t.test('an account that was renamed does not look like a duplicate', async (t) => {
  const world = new World()
  const server = world.server()
  await endOf(world, server.once({ ends: 'lost' }))
  await endOf(world, server.once())
  server.prefix = '/renamed'
  await world.clock.advance(MINUTE)
  await world.outcome(server.idempotency.sweep())
  t.notOk(reported(world).includes('duplicates'))
})

t.test('searches run after settleSeconds, 5 minutes, an hour, and 10 minutes before the key expires', async (t) => {
  const world = new World()
  const server = world.server()
  await endOf(world, server.once({ ends: 'lost' }))
  await endOf(world, server.once())
  const sentAt = world.clock.now()
  const looks: number[] = []
  for (let lists = world.lists; world.records.peek('k') && world.clock.now() < sentAt + 24 * HOUR;) {
    await world.clock.advance(10_000)
    await world.outcome(server.idempotency.sweep())
    if (world.lists > lists) looks.push(Math.round((world.clock.now() - sentAt) / MINUTE * 2) / 2)
    lists = world.lists
  }
  t.strictSame(looks, [0.5, 5, 60, 23 * 60 + 49.5])
})

t.test('while the record of a key cannot be read there is no search, and the caller does not wait', async (t) => {
  const world = new World()
  const server = world.server()
  await endOf(world, server.once({ ends: 'lost' }))
  let gets = 0
  world.records.fault = (call) => call === 'get' && ++gets > 1 ? 'failed' : undefined
  const began = world.clock.now()
  t.equal(await endOf(world, server.once()), 'outcome-unknown')
  t.ok(world.clock.now() - began < 1000, `${world.clock.now() - began} virtual milliseconds`)
  t.equal(world.lists, 0)
})

t.test('callers that try again without a pause do not delay the search', async (t) => {
  const world = new World()
  const server = world.server()
  await endOf(world, server.once({ ends: 'lost' }))
  const began = world.clock.now()
  while (world.made.length === 0) await endOf(world, server.once({}, server.create('k', 'body', 2000)))
  t.ok(world.clock.now() - began < SETTLE + 2000, 'callers who ask without a pause get there')
  t.ok(world.clock.now() - began >= SETTLE)
})

t.test('a claim of a server that is gone is searched once its deadline has passed', async (t) => {
  const world = new World()
  world.server().once({ takes: 2 * HOUR }).catch(() => {})
  await world.clock.advance(1000)
  const server = world.server()
  await server.idempotency.recall()
  t.equal(await endOf(world, server.once()), 'idempotency-key-in-use')
  t.equal(server.idempotency.inDoubt, 0)
  await world.clock.advance(DEADLINE + 4000)
  world.make(world.sent[0])
  await world.outcome(server.idempotency.sweep())
  t.strictSame(reported(world).slice(-1), ['found'])
  t.equal(await endOf(world, server.once()), '/groups/1')
  t.equal(world.sent.length, 1)
})

t.test('a search waits for settleSeconds after the deadline of a crashed server', async (t) => {
  const world = new World()
  let isDead = false
  const { get, swap, remove } = world.records
  const dying = <A extends unknown[], R>(work: (...of: A) => Promise<R>) =>
    (...of: A): Promise<R> => isDead ? new Promise(() => {}) : work(...of)
  const all = () => world.records.all()
  const dead = world.server(world.clock, { get: dying(get), swap: dying(swap), remove: dying(remove), all })
  dead.once({ ends: 'lost', takes: DEADLINE - 1000, madeAfter: SETTLE - 1000 }).catch(() => {})
  await world.clock.advance(1000)
  isDead = true
  await world.clock.advance(DEADLINE + 5000)
  t.equal(await endOf(world, world.server().once()), '/groups/1')
  t.equal(world.sent.length, 1)
})

t.test('keys in doubt are counted until a search shows what they made', async (t) => {
  const world = new World()
  const server = world.server()
  await endOf(world, server.once({ ends: 'lost' }))
  t.equal(server.idempotency.inDoubt, 1)
  await world.outcome(server.idempotency.sweep())
  t.equal(server.idempotency.inDoubt, 1, 'it may still show')
  await world.clock.advance(SETTLE)
  await world.outcome(server.idempotency.sweep())
  t.equal(server.idempotency.inDoubt, 0)
  t.strictSame(reported(world), ['unknown', 'absent'])
})

t.test('a search that hangs delays searches for other keys by two seconds at most', async (t) => {
  const clock = new VirtualClock()
  const search = new MarkerSearch(clock)
  const hanging = search.search('a', () => new Promise(() => {}))
  let begun = 0
  const list = async () => {
    begun++
    return new Map([['b', []]])
  }
  const others = [search.search('b', list), search.search('b', list)]
  await clock.advance(1999)
  t.equal(begun, 0, 'they wait for the list that is under way')
  await clock.advance(1)
  t.strictSame(await Promise.all(others), [[], []])
  t.equal(begun, 1, 'and share one')
  t.equal(await Promise.race([hanging, 'still hangs']), 'still hangs')
})
