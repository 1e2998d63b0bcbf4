/** Time as a server has it. Tests and the simulation pass one that they turn by hand. */
export interface Clock {
  /** Milliseconds, never set back. */
  now (): number
  /** Calls back once, after so many milliseconds. @returns cancels it */
  after (milliseconds: number, callback: () => void): () => void
}

/** Waiting never keeps a process alive. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after (milliseconds, callback) {
    const timer = setTimeout(callback, milliseconds).unref()
    return () => clearTimeout(timer)
  }
}

export const sleep = (clock: Clock, milliseconds: number): Promise<void> =>
  new Promise((resolve) => { clock.after(Math.max(0, milliseconds), resolve) })

/** What comes first: the result, or `late()` thrown once it is `until` by the clock. */
export async function before<T> (clock: Clock, until: number, result: Promise<T>, late: () => Error): Promise<T> {
  if (until === Infinity) return result
  let cancel = () => {}
  const over = new Promise<never>((_resolve, reject) => {
    cancel = clock.after(Math.max(0, until - clock.now()), () => reject(late()))
  })
  try {
    return await Promise.race([result, over])
  } finally {
    cancel()
  }
}
