import { LineWriter } from './lines.js'

export interface AuditLog {
  /** Writes a record as a line of JSON. When it returns, the line is in the file, or waits for it to work again. */
  write (record: object): void
  /** Closes the file and opens it again by its name: log rotation has renamed it. */
  reopen (): void
  /** Writes what waits. A later `write` opens the file again. */
  close (): void
  /** Lines lost since the start. */
  readonly lost: number
}

/**
 * Called when writing begins to fail, when the first line is lost, and when all kept lines are written.
 *
 * @param dropped lines lost since it failed
 */
export type OnChange = (failed: boolean, error: unknown, dropped: number) => void

/** Lines, and characters, that are kept while they cannot be written. */
const MOST_LINES = 10_000
const MOST_CHARACTERS = 16 * 1024 * 1024

/**
 * Runs something later, without keeping the process alive.
 *
 * @returns cancels it
 */
export type Later = (run: () => void, milliseconds: number) => () => void

const inRealTime: Later = (run, milliseconds) => {
  const timer = setTimeout(run, milliseconds).unref()
  return () => clearTimeout(timer)
}

/** Milliseconds between two attempts. */
const RETRY = 1000

/** Lines that are written in one turn of the event loop, which takes a few milliseconds. */
const LINES_PER_TURN = 500

/**
 * A log whose lines outlive the process: `write` hands each to the operating system before it returns, in a few
 * microseconds, so that not even a kill -9 right afterwards loses it. A power cut may: nothing waits for the disk.
 *
 * While it fails (a full disk, a path that cannot be opened), lines are kept, and tried every second. What is kept is
 * written first, so lines are in order. The oldest are kept: they say how it began.
 *
 * pino's destination cannot do this: it never returns from `flushSync` on a full disk, and waits 100 ms at a time,
 * blocking, for a pipe.
 *
 * @param destination a file, made for its owner alone if it is not there, like its folder; or the standard output
 * @param onChange called before this returns if the file cannot be opened
 * @param later the clock of the attempts; tests pass their own
 */
export function auditLog (destination: { file: string } | 'stdout', onChange: OnChange, later = inRealTime): AuditLog {
  const lines = new LineWriter(destination === 'stdout' ? undefined : destination.file)
  const waiting: string[] = []
  let characters = 0
  let failed = false
  let failure: unknown
  /** Since it failed, and since the start. */
  let dropped = 0
  let lost = 0
  /** Cancels the next flush. While it is set, lines only queue up: writing failed, or older lines come first. */
  let cancelNextFlush: (() => void) | undefined

  function flush (most = LINES_PER_TURN): void {
    cancelNextFlush?.()
    cancelNextFlush = undefined
    let written = 0
    let works = true
    try {
      if (waiting.length === 0) lines.open()
      for (const line of waiting.slice(0, most)) {
        lines.write(line)
        characters -= line.length
        written++
      }
    } catch (error) {
      works = false
      failure = error
    }
    waiting.splice(0, written)
    if (!works || waiting.length > 0) cancelNextFlush = later(flush, works ? 0 : RETRY)
    if (!works && !failed) change(true)
    if (works && failed && waiting.length === 0) change(false)
  }

  function change (to: boolean): void {
    const total = dropped
    failed = to
    dropped = 0
    onChange(to, to ? failure : undefined, total)
  }

  function drop (): void {
    lost++
    dropped++
    if (dropped === 1) onChange(true, failure, dropped)
  }

  const isFull = (line: string) =>
    waiting.length >= MOST_LINES || characters + line.length > MOST_CHARACTERS

  /** The last attempt. What it leaves is lost. */
  function finish (): void {
    flush(Infinity)
    cancelNextFlush?.()
    cancelNextFlush = undefined
    if (waiting.length === 0) return
    const left = waiting.splice(0).length
    characters = 0
    lost += left
    dropped += left
    onChange(true, failure, dropped)
    dropped = 0
  }

  flush()
  process.on('exit', finish)

  return {
    write (record) {
      const line = `${JSON.stringify(record)}\n`
      // A single line is always tried, however long.
      if (waiting.length > 0 && isFull(line)) return drop()
      waiting.push(line)
      characters += line.length
      if (cancelNextFlush === undefined) flush()
    },
    reopen () {
      lines.close()
      flush()
    },
    close () {
      process.off('exit', finish)
      finish()
      lines.close()
    },
    get lost () { return lost }
  }
}
