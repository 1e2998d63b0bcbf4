/** A step of a migration and its seconds (Infinity: the last). */
export interface Step {
  state: string
  description: string
  seconds: number
}

/** The step that has been reached `since` milliseconds after the first began. */
export function stepAt (steps: Step[], since: number): Step {
  let left = since
  for (const step of steps) {
    if (left < step.seconds * 1000) return step
    left -= step.seconds * 1000
  }
  throw new Error('the last step takes for ever')
}

/** Milliseconds from the first step to the last, if that is called `state`; undefined if it is not. */
export function millisecondsUntil (state: string, steps: Step[]): number | undefined {
  return steps.at(-1)?.state === state
    ? steps.slice(0, -1).reduce((sum, step) => sum + step.seconds, 0) * 1000
    : undefined
}
