import { closeSync, constants, fchmodSync, fstatSync, mkdirSync, openSync, readSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

const { O_APPEND, O_CREAT, O_NOFOLLOW, O_RDWR } = constants

/** Rights that an existing file loses: all of others, and all of its group but to read it, to ship it. */
const NOT_FOR_OTHERS = 0o037

const STANDARD_OUTPUT = 1
const NEWLINE = 10

/** Milliseconds to wait for a slow reader of the standard output, and between two tries. */
const PATIENCE = 50
const PAUSE = 2

/** How often an unfinished last line is looked at: each time somebody else has written meanwhile. */
const LOOKS = 100

const sleeper = new Int32Array(new SharedArrayBuffer(4))
const pause = () => { Atomics.wait(sleeper, 0, 0, PAUSE) }

/**
 * Lines at the end of a file, or on the standard output. Each is one `write` at the end (O_APPEND), so that lines of
 * several processes do not mix. After a failure the file is opened anew.
 */
export class LineWriter {
  /** A newline if the last line was cut off: a full disk takes a part of one. */
  #prefix = ''
  #fd: number | undefined

  constructor (readonly file: string | undefined) {}

  /**
   * Opens the file if it is not open, or was deleted: lines written to a deleted file are lost. A symbolic link is
   * refused.
   */
  open (): number {
    if (this.file === undefined) return STANDARD_OUTPUT
    if (this.#fd !== undefined && fstatSync(this.#fd).nlink > 0) return this.#fd
    this.close()
    mkdirSync(dirname(this.file), { recursive: true, mode: 0o700 })
    const fd = openSync(this.file, O_APPEND | O_CREAT | O_RDWR | O_NOFOLLOW, 0o600)
    this.#fd = fd
    const stat = fstatSync(fd)
    const isOurs = stat.isFile() && stat.uid === process.getuid?.()
    const wanted = isOurs ? stat.mode & ~NOT_FOR_OTHERS : stat.mode
    if (stat.mode !== wanted) fchmodSync(fd, wanted)
    this.#prefix = endsInALine(fd, wanted) ? '' : '\n'
    return fd
  }

  /** Writes a line, newline included. If it throws, a part may be in the file: write the whole line again. */
  write (line: string): void {
    let written = 0
    try {
      const fd = this.open()
      const bytes = Buffer.from(this.#prefix + line)
      const until = performance.now() + PATIENCE
      while (written < bytes.length) written += writeSome(fd, bytes.subarray(written), until)
      this.#prefix = ''
    } catch (error) {
      if (written > 0) this.#prefix = '\n'
      this.close()
      throw error
    }
  }

  close (): void {
    if (this.#fd === undefined) return
    const fd = this.#fd
    this.#fd = undefined
    closeSync(fd)
  }
}

/** Bytes that could be written. The standard output may be a pipe that does not block, whose reader has to catch up. */
function writeSome (fd: number, bytes: Buffer, until: number): number {
  try {
    return writeSync(fd, bytes)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN' || performance.now() > until) throw error
    pause()
    return 0
  }
}

/** Whether the file is empty, or its last line has an end, at the latest once those who write to it now are done. */
function endsInALine (fd: number, mode: number): boolean {
  const last = Buffer.alloc(1)
  let before = -1
  for (let look = 0; look < LOOKS; look++) {
    const { size } = fstatSync(fd)
    if (size === 0 || readSync(fd, last, 0, 1, size - 1) === 0 || last[0] === NEWLINE) return true
    if (size === before) return false
    before = size
    letWritesEnd(fd, mode)
  }
  return false
}

/**
 * Waits for the writes to a file that other processes have begun. Of a long line the first pages are in the file before
 * the others. Linux sets a file's mode between two writes, never during one, unless the file is on another machine.
 *
 * @param mode the one that it has
 */
function letWritesEnd (fd: number, mode: number): void {
  try {
    fchmodSync(fd, mode)
  } catch {} // It may be somebody else's, or be only for appending (chattr +a): the pause has to do.
  pause()
}
