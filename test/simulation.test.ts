import t from 'tap'
import { simulate } from './simulation/run.js'

/** Histories; `npm run simulate` plays as many as wanted. */
const RUNS = process.env.CHAOS === 'full' ? 20_000 : 400

t.test('no promise is broken, whatever fails and however it falls', async (t) => {
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31))
  t.comment(`${RUNS} histories from seed ${seed}`)
  const { report } = await simulate(seed, RUNS)
  t.equal(report, undefined, report ?? 'every history keeps the promises')
})
