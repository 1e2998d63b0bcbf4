import fc from 'fast-check'
import { play } from './history.js'
import { violations } from './promises.js'
import { scenarios, type Scenario } from './scenario.js'

/** @throws {Error} with what broke */
export async function check (scenario: Scenario): Promise<void> {
  const found = violations(scenario, await play(scenario))
  if (found.length > 0) throw new Error(found.join('\n'))
}

export interface Result {
  /** Histories played up to the first that broke a promise, or all. */
  histories: number
  /** What broke, and in which scenario; undefined where nothing did. */
  report: string | undefined
}

/**
 * Plays histories that follow from a seed: the same ones for the same seed.
 *
 * @param shrink whether a scenario that breaks a promise is made as short as it can be
 */
export async function simulate (seed: number, runs: number, shrink = true): Promise<Result> {
  const { failed, counterexample, errorInstance, numRuns } = await fc.check(
    fc.asyncProperty(scenarios, check), { seed, numRuns: runs, endOnFailure: !shrink }
  )
  if (!failed) return { histories: runs, report: undefined }
  const [, what] = /^Error: ([^]*)$/.exec(String(errorInstance)) ?? [undefined, String(errorInstance)]
  return {
    histories: numRuns,
    report: `${what}\n${fc.stringify(counterexample)}\n` +
      `Play it again: npm run simulate -- --seed ${seed} --seeds ${runs}`
  }
}
