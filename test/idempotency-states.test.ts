import { readFileSync } from 'node:fs'
import t from 'tap'
import { rowOf, states, type State, type Trigger } from '../services/idempotency/states.js'
import { endOf, type Plan, reported, type Server, World } from './key-world.js'

const MINUTE = 60_000

t.test('every state and event of a key leads to the next state as tabulated', async (t) => {
  const lost: Plan = { ends: 'lost' }
  /** What leads to a state: at the end of it, the key is in that state. */
  const reach: Record<State, (world: World, server: Server) => Promise<unknown>> = {
    none: async () => {},
    async open (world, server) {
      server.once({ takes: 20_000, ends: 'lost' }).catch(() => {})
      await world.clock.advance(10_000)
    },
    unknown: (world, server) => endOf(world, server.once(lost)),
    answered: (world, server) => endOf(world, server.once()),
    async duplicates (world, server) {
      await endOf(world, server.once({ ends: 'lost', madeAfter: 0 }))
      world.make(world.sent[0])
      await endOf(world, server.once())
    }
  }
  const again = (world: World, server: Server) => endOf(world, server.once())
  const sweep = async (world: World, server: Server) => {
    await world.outcome(server.idempotency.sweep())
    return 'nothing'
  }
  const resent = (plan: Plan) => async (world: World, server: Server) => {
    await endOf(world, server.once(lost))
    await world.clock.advance(MINUTE)
    return await endOf(world, server.once(plan))
  }
  const makeSome = (count: number, act: typeof again) => async (world: World, server: Server) => {
    for (let n = 0; n < count; n++) world.make(world.sent[0])
    return await act(world, server)
  }
  const other = (world: World, server: Server) => endOf(world, server.once({}, server.create('k', 'other')))
  const unmarked = async (world: World, server: Server) => {
    server.marked = false
    return await again(world, server)
  }
  const late = (act: typeof again) => async (world: World, server: Server) => {
    await world.clock.advance(MINUTE)
    return await act(world, server)
  }
  const short = (world: World, server: Server) => endOf(world, server.once({}, server.create('k', 'body', 5000)))
  const down = async (world: World, server: Server) => {
    world.isDown = true
    return await again(world, server)
  }
  /** What happens, what the caller gets, and the state it begins with: a claim is opened by what is done itself. */
  const rows: [State, Trigger, (world: World, server: Server) => Promise<string>, gets: RegExp, first?: State][] = [
    ['none', 'asked', again, /^\/groups\/1$/],
    ['open', 'asked', again, /^idempotency-key-in-use$/],
    ['open', 'asked otherwise', other, /^idempotency-key-reused$/],
    ['open', 'created', again, /^\/groups\/1$/, 'none'],
    ['open', 'refused', (world, server) => endOf(world, server.once({ ends: 'refused' })), /^spot-rejected$/, 'none'],
    ['open', 'refused again', resent({ ends: 'refused' }), /^spot-rejected$/, 'none'],
    ['open', 'lost', (world, server) => endOf(world, server.once(lost)), /^outcome-unknown$/, 'none'],
    ['open', 'found', makeSome(1, again), /^\/groups\/1$/, 'unknown'],
    ['open', 'several', makeSome(2, again), /^duplicates-found$/, 'unknown'],
    ['open', 'absent', resent(lost), /^outcome-unknown$/, 'none'],
    ['open', 'early', short, /^outcome-unknown$/, 'unknown'],
    ['open', 'blind', down, /^outcome-unknown$/, 'unknown'],
    ['unknown', 'asked', again, /^\/groups\/1$/],
    ['unknown', 'asked otherwise', other, /^idempotency-key-reused$/],
    ['unknown', 'asked unmarked', unmarked, /^outcome-unknown$/],
    ['unknown', 'found', makeSome(1, sweep), /^nothing$/],
    ['unknown', 'several', makeSome(2, sweep), /^nothing$/],
    ['unknown', 'absent', late(sweep), /^nothing$/],
    ['unknown', 'early', sweep, /^nothing$/],
    ['answered', 'asked', again, /^\/groups\/1$/],
    ['answered', 'asked otherwise', other, /^idempotency-key-reused$/],
    ['answered', 'several', async (world, server) => {
      await resent({})(world, server)
      return await makeSome(1, late(sweep))(world, server)
    }, /^nothing$/, 'none'],
    ['answered', 'absent', async (world, server) => {
      await resent({})(world, server)
      return await late(sweep)(world, server)
    }, /^nothing$/, 'none'],
    ['duplicates', 'asked', again, /^duplicates-found$/],
    ['duplicates', 'asked otherwise', other, /^idempotency-key-reused$/],
    ['duplicates', 'asked unmarked', unmarked, /^outcome-unknown$/]
  ]
  const all = Object.entries(states).flatMap(([state, row]) => Object.keys(row).map((word) => `${state}: ${word}`))
  t.strictSame(rows.map(([state, trigger]) => `${state}: ${trigger}`).sort(), all.sort())
  for (const [state, trigger, act, gets, first = state] of rows) {
    const world = new World()
    const server = world.server()
    await reach[first](world, server)
    const before = reported(world).length
    t.match(await act(world, server), gets, `${state}: ${trigger}`)
    const { next, event } = rowOf(state, trigger)
    if (event) t.ok(reported(world).slice(before).includes(event), `${state}: ${trigger} reports ${event}`)
    // Where it goes on at once: what is sent ends, a search under a claim finds nothing, duplicates are still there.
    const rest: Partial<Record<string, State>> = {
      'none: asked': 'answered',
      'open: absent': 'unknown',
      'unknown: asked': 'answered',
      'duplicates: asked': 'duplicates'
    }
    const name = `${state}: ${trigger}`
    t.equal(world.records.peek('k')?.state ?? 'none', rest[name] ?? next, name)
  }
  t.throws(() => rowOf('none', 'created'), /cannot happen/)
})

t.test('the table of states is that of docs/reliability.md', async (t) => {
  const text = readFileSync(new URL('../docs/reliability.md', import.meta.url), 'utf8')
  const drawn = [...text.matchAll(/^ {2}(\w+) --> (\w+) : (.+)$/gm)].flatMap(([, from, to, triggers = '']) =>
    triggers.split(/, (?=\w)/).map((trigger) => `${from} --> ${to} : ${trigger}`))
  const rows = Object.entries(states).flatMap(([from, row]) =>
    Object.entries(row).map(([trigger, { next }]) => `${from} --> ${next} : ${trigger}`))
  t.strictSame(drawn.filter((line) => !line.endsWith(': lease over')).sort(), rows.sort())
})
