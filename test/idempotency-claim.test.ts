import t from 'tap'
import { isCertainFailure } from '../services/idempotency/problems.js'
import { SpotError } from '../services/spot/error.js'
import type { FailedOutcome } from '../services/spot/wire/outcomes.js'
import { endOf, reported, type Server, type StateFault, World } from './key-world.js'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

t.test('a key expires after 24 hours, however often it was used', async (t) => {
  const world = new World()
  const server = world.server()
  t.equal(await endOf(world, server.once()), '/groups/1')
  for (let hour = 1; hour < 24; hour++) {
    await world.clock.advance(HOUR)
    t.equal(await endOf(world, server.once()), '/groups/1')
  }
  await world.clock.advance(HOUR)
  const create = server.create('k', 'another body')
  t.equal(await endOf(world, server.once({}, create)), '/groups/2', 'neither 422 nor the old one')
  t.not(world.sent[0], world.sent[1], 'with a marker of its own')
})

t.test('a claim whose answer was lost is read back, and nothing is sent unless it is there', async (t) => {
  for (const fault of ['lost', 'late'] as const) {
    const world = new World()
    const server = world.server()
    const faults: StateFault[] = [undefined, fault]
    world.records.fault = () => faults.shift()
    const end = await endOf(world, server.once())
    if (fault === 'lost') t.equal(end, '/groups/1', 'it is read back, and the claim is there')
    else t.equal(end, 'state-unavailable', 'nothing was sent')
    t.equal(world.sent.length, fault === 'lost' ? 1 : 0)
  }
})

t.test('when a claim cannot be read back nothing is sent, and the key is soon free again', async (t) => {
  const world = new World()
  const server = world.server()
  server.marked = false
  const faults: StateFault[] = [undefined, 'lost', 'failed', 'failed']
  world.records.fault = () => faults.shift()
  t.equal(await endOf(world, server.once()), 'state-unavailable')
  await world.clock.advance(1000)
  t.equal(await endOf(world, server.once()), '/groups/1', 'not 409, nor 504 for ever')
})

t.test('a reply that cannot be recorded is recorded later', async (t) => {
  for (const fault of ['failed', 'lost', 'late'] as const) {
    const world = new World()
    const server = world.server()
    server.marked = false
    const faults: StateFault[] = [undefined, undefined, fault, 'failed', 'failed']
    world.records.fault = () => faults.shift()
    t.equal(await endOf(world, server.once()), '/groups/1', fault)
    t.ok(reported(world).includes('unavailable'))
    await world.clock.advance(MINUTE)
    t.equal(await endOf(world, server.once()), '/groups/1')
    t.equal(world.sent.length, 1)
  }
})

t.test('a reply that is recorded late does not overwrite what other servers have recorded since', async (t) => {
  const world = new World()
  let isCut = false
  const { get, swap, remove } = world.records
  const cut = <A extends unknown[], R>(work: (...of: A) => Promise<R>) => async (...of: A): Promise<R> => {
    if (isCut) throw new Error('no connection')
    return await work(...of)
  }
  const all = () => world.records.all()
  const server = world.server(world.clock, { get: cut(get), swap: cut(swap), remove: cut(remove), all })
  const first = endOf(world, server.once({ takes: 1000 }))
  await world.clock.settle()
  isCut = true
  t.equal(await first, '/groups/1')
  await world.clock.advance(2 * MINUTE)
  world.made.length = 0 // somebody deleted it
  world.make('of another key')
  t.equal(await endOf(world, world.server().once()), '/groups/2')
  isCut = false
  await world.clock.advance(MINUTE)
  t.equal(await endOf(world, server.once()), '/groups/2')
})

t.test('the caller does not wait for a state that hangs', async (t) => {
  const world = new World()
  const server = world.server()
  const faults: StateFault[] = [undefined, undefined, 'late']
  world.records.fault = () => faults.shift()
  const began = world.clock.now()
  const create = server.create('k', 'body', 1000)
  t.equal(await endOf(world, server.once({ takes: 950 }, create)), '/groups/1')
  t.ok(world.clock.now() - began <= 1250)
})

t.test('servers whose clocks differ still agree about a key', async (t) => {
  const world = new World()
  const ahead = { now: () => world.clock.now() + 70_000, after: world.clock.after.bind(world.clock) }
  const servers = [world.server(), world.server(ahead)]
  await endOf(world, (servers[0] as Server).once({ ends: 'lost', madeAfter: 20_000 }))
  t.equal(await endOf(world, (servers[1] as Server).once()), '/groups/1')
  t.equal(world.made.length, 1)
  const holding = (servers[0] as Server).once({ takes: 50_000 }, servers[0]?.create('other'))
  await world.clock.advance(1000)
  t.equal(await endOf(world, (servers[1] as Server).once({}, servers[1]?.create('other'))), 'idempotency-key-in-use')
  t.equal(await endOf(world, holding), '/groups/2')
})

t.test('keys of an account that can no longer be searched expire', async (t) => {
  const world = new World()
  const server = world.server()
  await endOf(world, server.once({ ends: 'lost' }))
  server.marked = false
  for (let hour = 0; hour < 25; hour++) {
    await world.clock.advance(HOUR)
    await server.idempotency.recall()
    await world.outcome(server.idempotency.sweep())
    if (hour < 23) await endOf(world, server.once())
  }
  t.equal(await world.records.get('k'), undefined)
  t.equal(server.idempotency.inDoubt, 0)
})

t.test('trying again does not extend the life of a key', async (t) => {
  const world = new World()
  const server = world.server()
  await endOf(world, server.once({ ends: 'lost' }))
  world.isDown = true
  for (let hour = 1; hour < 24; hour++) {
    await world.clock.advance(HOUR)
    t.equal(await endOf(world, server.once()), 'outcome-unknown')
  }
  await world.clock.advance(HOUR)
  t.equal(await world.records.get('k'), undefined)
})

t.test('a failure frees the key at once only if certainly nothing was created', async (t) => {
  const call = { operation: 'createElastigroup', method: 'POST' } as const
  const failed = (outcome: FailedOutcome, calls: number) => isCertainFailure(new SpotError({ call, outcome, calls }))
  t.ok(failed('rejected', 1))
  t.ok(failed('unsent', 0))
  t.ok(failed('timeout', 0))
  for (const outcome of ['timeout', 'failed', 'create-failed', 'unreadable'] as const) {
    t.notOk(failed(outcome, 1), outcome)
  }
  t.notOk(isCertainFailure(new TypeError('a bug')))
})
