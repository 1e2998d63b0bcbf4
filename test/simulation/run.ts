/**
 * `npm run simulate -- [--seeds N] [--seed S]`: plays N histories (10,000 unless told otherwise) that follow from the
 * seed S, and says which of them broke a promise, as short as it can be made. The same seed plays the same histories.
 */
import { parseArgs } from 'node:util'
import fc from 'fast-check'
import { play, violations } from './history.js'
import { scenarios, type Scenario } from './scenario.js'

/** @throws {Error} with what broke */
export async function check (scenario: Scenario): Promise<void> {
  const found = violations(scenario, await play(scenario))
  if (found.length > 0) throw new Error(found.join('\n'))
}

/**
 * @param runs histories
 * @returns undefined where all kept their promises; else the report of the shortest that did not
 */
export async function simulate (seed: number, runs: number): Promise<string | undefined> {
  const result = await fc.check(fc.asyncProperty(scenarios, check), { seed, numRuns: runs, endOnFailure: false })
  if (!result.failed) return undefined
  return `${fc.stringify(result.counterexample)}\n${String(result.errorInstance)}\n` +
    `Play it again: npm run simulate -- --seed ${seed} --seeds ${runs}`
}

if (import.meta.filename === process.argv[1]) {
  const { values } = parseArgs({ options: { seeds: { type: 'string' }, seed: { type: 'string' } } })
  const runs = Number(values.seeds ?? 10_000)
  let seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31))
  const began = performance.now()
  const ROUND = 1000
  let played = 0
  for (; played < runs; played += ROUND) {
    const report = await simulate(seed, Math.min(ROUND, runs - played))
    if (report) {
      console.error(report)
      process.exit(1)
    }
    seed++
    const seconds = (performance.now() - began) / 1000
    const done = Math.min(runs, played + ROUND)
    process.stderr.write(`\r${done} histories, ${Math.round(done / seconds)} a second, 0 violations `)
  }
  process.stderr.write('\n')
}
