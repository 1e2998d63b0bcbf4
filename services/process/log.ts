import { destination } from 'pino'

/** Characters that are buffered at most. */
const MOST = 8 * 1024

/**
 * The standard output, as the destination of the log. What is logged in one iteration of the event loop is written
 * together, so that many requests at once do not each wait; when the process exits, the rest is written too.
 */
export function standardOutput (): { write (line: string): void } {
  const output = destination({ dest: 1, sync: true })
  let lines = ''
  let due = false
  function flush () {
    due = false
    if (lines !== '') output.write(lines)
    lines = ''
  }
  process.on('exit', () => {
    flush()
    output.flushSync()
  })
  return {
    write (line) {
      lines += line
      if (lines.length >= MOST) flush()
      if (!due) setImmediate(flush)
      due = true
    }
  }
}
