import t from 'tap'
import { simulate } from './simulation/run.js'

/** Histories; `npm run simulate` plays as many as wanted. */
const RUNS = process.env.CHAOS === 'full' ? 20_000 : 250

t.test('no promise is broken, whatever fails and in whatever order', async (t) => {
  // Always the same: what `npm run simulate` finds with another is kept as a test of its own.
  const seed = Number(process.env.SEED ?? 1)
  t.comment(`${RUNS} histories from seed ${seed}`)
  const { report } = await simulate(seed, RUNS)
  if (report) t.comment(report)
  t.equal(report, undefined)
})
