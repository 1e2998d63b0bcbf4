import fc from 'fast-check'
import t from 'tap'
import { endOf, type Plan, SETTLE, type StateFault, World } from './key-world.js'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

t.test('a key never creates twice: requests, searches, kills and lost answers in any order', async (t) => {
  const plan = fc.record({
    ends: fc.constantFrom('created' as const, 'refused' as const, 'lost' as const, 'lost' as const),
    takes: fc.integer({ min: 1, max: 55_000 }),
    madeAfter: fc.option(fc.oneof(
      { weight: 8, arbitrary: fc.integer({ min: 0, max: SETTLE }) },
      { weight: 1, arbitrary: fc.integer({ min: SETTLE + 1, max: 20 * MINUTE }) }
    ), { nil: undefined })
  })
  const server = fc.nat(1)
  const time = fc.integer({ min: 1, max: 90_000 })
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('ask' as const), server, plan }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('wait' as const), time }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('sweep' as const), server }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('kill' as const), server }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('spot' as const), isDown: fc.boolean() }) }
  )
  const fault = fc.oneof(
    { weight: 20, arbitrary: fc.constant(undefined) },
    { weight: 3, arbitrary: fc.constantFrom<StateFault>('failed', 'lost', 'late') }
  )
  let lateOnes = 0
  let twice = 0
  await fc.assert(fc.asyncProperty(
    fc.array(step, { minLength: 3, maxLength: 25 }),
    fc.array(fault, { maxLength: 80 }),
    fc.tuple(fc.constantFrom(0.99, 1, 1.01), fc.constantFrom(0.99, 1, 1.01)),
    async (steps, faults, rates) => {
      const world = new World()
      world.records.fault = () => faults.shift()
      let late = false
      /** A server with a clock of its own; killed, it reaches nothing any more. */
      const start = (index: number) => {
        const rate = rates[index] as number
        const life = { over: false }
        const never = new Promise<never>(() => {})
        const alive = <A extends unknown[], R>(work: (...of: A) => Promise<R>) =>
          (...of: A): Promise<R> => life.over ? never : work(...of).then((result) => life.over ? never : result)
        const clock = {
          now: () => world.clock.now() * rate + index * 70_000,
          after: (milliseconds: number, callback: () => void) =>
            world.clock.after(milliseconds / rate, () => life.over || callback())
        }
        const { get, swap, remove } = world.records
        const all = () => world.records.all()
        const server = world.server(clock, { get: alive(get), swap: alive(swap), remove: alive(remove), all })
        const once = (plan: Plan) => server.idempotency.once(server.create(), alive(async (marker) => {
          const under = { ...plan, takes: plan.takes ?? 0 }
          if (under.ends === 'lost' && (under.madeAfter ?? 0) > SETTLE) late = true
          return await world.attempt(marker, under)
        }))
        return { ...server, once, life, idempotency: server.idempotency }
      }
      const servers = [start(0), start(1)]
      const asked: Promise<string | undefined>[] = []
      for (const step of steps) {
        if (step.kind === 'wait') await world.clock.advance(step.time)
        else if (step.kind === 'spot') world.isDown = step.isDown
        else if (step.kind === 'ask') {
          asked.push((servers[step.server] as typeof servers[0]).once(step.plan)
            .then(({ reply }) => reply.headers.Location, () => undefined))
        } else if (step.kind === 'sweep') (servers[step.server] as typeof servers[0]).idempotency.sweep()
        else {
          (servers[step.server] as typeof servers[0]).life.over = true
          servers[step.server] = start(step.server)
        }
        await world.clock.settle()
      }
      await world.clock.advance(3 * MINUTE)
      faults.length = 0
      world.isDown = false
      const [server] = servers as [typeof servers[0]]
      await server.idempotency.recall()
      for (const wait of [0, MINUTE, 6 * MINUTE, HOUR]) {
        await world.clock.advance(wait)
        await world.outcome(server.idempotency.sweep())
      }
      if (late) lateOnes++
      const keyed = world.made.length
      if (keyed > 1) {
        twice++
        if (!late) throw new Error(`${keyed} resources, and none came late`)
        if (!world.events.some(([event]) => event === 'duplicates')) throw new Error('duplicates, and nobody was told')
      }
      if (new Set(world.sent).size > 1 && !world.sent.every(Boolean)) throw new Error('an attempt without a marker')
      const end = await endOf(world, server.once({}))
      if (keyed <= 1 && end !== world.made.at(-1)?.path) throw new Error(`${end} is not what was made`)
    }
  ), { numRuns: Number(process.env.RUNS ?? 300) })
  t.comment(`${lateOnes} runs had a create later than settle, ${twice} of them made two`)
  t.ok(lateOnes > 0)
})
