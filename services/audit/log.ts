import { Lines } from './lines.js'

export interface AuditLog {
  /** Writes a record as a line of JSON. When it returns, the line is in the file, or waits for it to work again. */
  write (record: object): void
  /** To be called when the file was renamed: goes on in a new one. */
  reopen (): void
  /** Writes what waits. A later `write` opens the file again. */
  close (): void
}

/**
 * Called once when writing fails, and again when lines begin to be lost, for as long as it fails; once when all lines
 * that were kept are written.
 *
 * @param dropped lines that are lost since it failed
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
const AGAIN = 1000

/** Lines that are written in one turn of the event loop: a few milliseconds. */
const SLICE = 500

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
  const lines = new Lines(destination === 'stdout' ? undefined : destination.file)
  const waiting: string[] = []
  let characters = 0
  let failed = false
  let failure: unknown
  let dropped = 0
  /** Cancels the next attempt. Set while lines are not to be written at once: it failed, or others come first. */
  let cancel: (() => void) | undefined

  function flush (most = SLICE): void {
    cancel?.()
    cancel = undefined
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
    if (!works || waiting.length > 0) cancel = later(flush, works ? 0 : AGAIN)
    const over = works && waiting.length === 0
    if (failed ? over : !works) change(!works)
  }

  function change (to: boolean): void {
    const lost = dropped
    failed = to
    dropped = 0
    onChange(to, to ? failure : undefined, lost)
  }

  function drop (count: number): void {
    const first = dropped === 0
    dropped += count
    if (first) onChange(true, failure, dropped)
  }

  const isFull = (line: string) =>
    waiting.length >= MOST_LINES || characters + line.length > MOST_CHARACTERS

  /** The last attempt. What it leaves is lost. */
  function finish (): void {
    flush(Infinity)
    cancel?.()
    cancel = undefined
    if (waiting.length === 0) return
    dropped += waiting.splice(0).length
    onChange(true, failure, dropped)
  }

  flush()
  process.on('exit', finish)

  return {
    write (record) {
      const line = `${JSON.stringify(record)}\n`
      if (waiting.length > 0 && isFull(line)) return drop(1)
      waiting.push(line)
      characters += line.length
      if (cancel === undefined) flush()
    },
    reopen () {
      lines.close()
      flush()
    },
    close () {
      process.off('exit', finish)
      finish()
      lines.close()
    }
  }
}
