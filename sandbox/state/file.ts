import { open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/** A state that cannot be used or kept; the message says which, why and what to do. */
export class StateError extends Error {
  override name = 'StateError'
}

/**
 * The JSON in a file.
 * @returns undefined if there is no file
 * @throws StateError if it cannot be read, or holds no JSON
 */
export async function readState (path: string): Promise<unknown> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    throw new StateError(`The state ${path} cannot be read (${code}).`)
  }
  try {
    return JSON.parse(text)
  } catch (error) {
    throw unusable(path, (error as Error).message)
  }
}

/** What to say of a file whose content is wrong. */
export function unusable (path: string, reason: string): StateError {
  return new StateError(`The state ${path} cannot be used: ${reason}. Mend it, or move it away to start anew.`)
}

/** Removes the drafts of processes that were killed while they wrote. */
export async function removeDrafts (path: string): Promise<void> {
  const folder = dirname(path)
  const start = `${basename(path)}.`
  for (const name of await readdir(folder).catch(() => [])) {
    const [, pid] = name.startsWith(start) ? /^(\d+)\.tmp$/.exec(name.slice(start.length)) ?? [] : []
    if (pid !== undefined && !isRunning(Number(pid))) await rm(join(folder, name)).catch(() => {})
  }
}

function isRunning (pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Keeps a state in a file: atomically, never twice at once, and the latest state last. */
export class StateFile {
  readonly #path: string
  readonly #read: () => object
  #saving: Promise<void> | undefined
  #isStale = false
  #failed = false
  #closed: Promise<void> | undefined

  /** `read` returns the state to save. */
  constructor (path: string, read: () => object) {
    this.#path = path
    this.#read = read
  }

  /** Saves soon. The first of several failures is a warning of the process. */
  change (): void {
    if (this.#closed !== undefined) return
    this.save().then(() => { this.#failed = false }, (error: Error) => {
      if (!this.#failed) process.emitWarning(error.message)
      this.#failed = true
    })
  }

  /**
   * Saves the state of now, or of a moment later.
   * @throws StateError if it cannot
   */
  async save (): Promise<void> {
    this.#isStale = true
    this.#saving ??= this.#saveWhileStale().finally(() => { this.#saving = undefined })
    await this.#saving
  }

  /**
   * Saves for the last time; the file may belong to another sandbox afterwards.
   * @throws StateError if it cannot
   */
  async close (): Promise<void> {
    this.#closed ??= this.save()
    await this.#closed
  }

  async #saveWhileStale (): Promise<void> {
    // What changes in the same moment is saved together.
    await null
    while (this.#isStale) {
      this.#isStale = false
      await this.#write(JSON.stringify(this.#read()))
    }
  }

  async #write (text: string): Promise<void> {
    const draft = `${this.#path}.${process.pid}.tmp`
    try {
      const file = await open(draft, 'w')
      try {
        await file.writeFile(text)
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(draft, this.#path)
    } catch (error) {
      throw new StateError(`The state ${this.#path} cannot be written (${(error as NodeJS.ErrnoException).code}).`)
    }
  }
}
