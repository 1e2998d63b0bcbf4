import { destination } from 'pino'

/** Characters that are buffered at most. */
const MOST = 8 * 1024

/**
 * The standard output, as the destination of the log. What is logged in one iteration of the event loop is written
 * together, so that many requests at once do not each wait; when the process exits, the rest is written too.
 */
export function standardOutput (): { write (line: string): void } {
  const output = destination({ dest: 1, sync: true, minLength: MOST })
  let due = false
  function flush () {
    due = false
    output.flush()
  }
  process.on('exit', () => output.flushSync())
  return {
    write (line) {
      output.write(line)
      if (!due) setImmediate(flush)
      due = true
    }
  }
}
