import { destination } from 'pino'

/** Characters that are kept at most before they are written. */
const MOST = 8 * 1024

/**
 * The standard output as the place of the log. What is logged in one turn of the event loop leaves in one write, so
 * that many requests at once do not each wait for theirs; when the process exits, what is left is written too.
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
