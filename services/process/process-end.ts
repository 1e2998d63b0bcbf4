/** Why a process ends: a signal, or an error that nobody caught. */
export type Reason = { signal: NodeJS.Signals, error?: undefined } | { signal?: undefined, error: unknown }

/** Milliseconds in which a second Ctrl-C is taken for the first: npm forwards what the terminal sent to both. */
const ECHO = 500

/** 128 plus the number of the signal, as shells have it. */
const INTERRUPTED = 130

/** Errors that are reported at most: where the log itself is broken, reporting one causes the next. */
const MOST_ERRORS = 10

/**
 * Ends the process in order: after a signal with code 0, after an error that nobody caught with code 1. A second Ctrl-C
 * ends it at once. Another SIGTERM does not, nor another error: a write may be under way.
 *
 * @param end what must be done first
 * @param onReason called with the reason, and with every further error
 * @param hangUp whether SIGHUP, when the terminal closes, ends it too
 */
export function endInOrder (
  end: (reason: Reason) => Promise<void>, onReason: (reason: Reason) => void = () => {}, hangUp = true
): void {
  let began: number | undefined
  let interrupted: number | undefined
  let errors = 0

  function begin (reason: Reason) {
    const first = began === undefined
    if (reason.signal === undefined ? errors++ < MOST_ERRORS : first) onReason(reason)
    // Only a second Ctrl-C cuts off what is under way, whatever ended the server first.
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
        onReason({ error })
        process.exit(1)
      })
  }

  const signals = ['SIGTERM', 'SIGINT', ...hangUp ? ['SIGHUP' as const] : []] as const
  for (const signal of signals) process.on(signal, () => begin({ signal }))
  for (const event of ['uncaughtException', 'unhandledRejection']) process.on(event, (error) => begin({ error }))
}
