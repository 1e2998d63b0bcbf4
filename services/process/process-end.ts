/** Why a process ends: it was told to, or nobody caught an error. */
export type Reason = { signal: NodeJS.Signals, error?: undefined } | { signal?: undefined, error: unknown }

/** Milliseconds in which a Ctrl-C is the one before: npm passes on what the terminal has sent to both of them. */
const ECHO = 500

/** 128 and the number of the signal, as shells count. */
const INTERRUPTED = 130

/** Errors that are told of at most: where the log itself is broken, telling of one makes the next. */
const MOST_ERRORS = 10

/**
 * Lets the process end in good order when it is told to, with code 0, or after an error that nobody caught, with
 * code 1. A second Ctrl-C ends it at once. Another SIGTERM does not, nor another error: a write may be under way.
 *
 * @param end what has to be done first
 * @param tell told of the reason, and of every further error
 * @param hangUp whether the end of the terminal ends it as well
 */
export function endInOrder (
  end: (reason: Reason) => Promise<void>, tell: (reason: Reason) => void = () => {}, hangUp = true
): void {
  let began: number | undefined
  let interrupted: number | undefined
  let errors = 0

  function begin (reason: Reason) {
    const first = began === undefined
    if (reason.signal === undefined ? errors++ < MOST_ERRORS : first) tell(reason)
    // Only a second Ctrl-C cuts what is under way, whatever else has ended the server before.
    const now = performance.now()
    if (reason.signal === 'SIGINT') {
      if (interrupted !== undefined && now - interrupted > ECHO) process.exit(INTERRUPTED)
      interrupted ??= now
    }
    if (began !== undefined) return
    began = now
    end(reason).then(
      () => process.exit(reason.signal === undefined ? 1 : 0),
      (error) => {
        tell({ error })
        process.exit(1)
      })
  }

  const signals = ['SIGTERM', 'SIGINT', ...hangUp ? ['SIGHUP' as const] : []] as const
  for (const signal of signals) process.on(signal, () => begin({ signal }))
  for (const event of ['uncaughtException', 'unhandledRejection']) process.on(event, (error) => begin({ error }))
}
