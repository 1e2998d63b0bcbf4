import { unwatchFile, watchFile } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { readConfiguration, type Configuration, type ReadConfiguration } from './index.js'
import { waitingSettings } from './live.js'

/** Milliseconds between two looks at a file. It may be a link whose target changes, as Kubernetes mounts them. */
const INTERVAL = 1000

export interface Listener {
  /** Called when the configuration changed. @param waiting settings that take effect after a restart */
  onChange (configuration: Configuration, waiting: string[]): void
  /** Called once when the file cannot be used; the earlier configuration stays in use. */
  onFailure (error: unknown): void
}

/** Reads the configuration again when one of its files changes, and on demand. */
export class Reload {
  readonly #file: string
  readonly #listener: Listener
  /** What settings that are not live have until the restart. */
  readonly #started: Configuration
  #current: Configuration
  #files: string[] = []
  #failure: string | undefined
  readonly #look = () => this.now()

  /** @param read what was read from `file` when the server started */
  constructor (file: string, { configuration, files }: ReadConfiguration, listener: Listener) {
    this.#file = file
    this.#listener = listener
    this.#started = configuration
    this.#current = configuration
    this.#watch(files)
  }

  /** All or nothing: a file that cannot be used changes nothing. */
  now (): void {
    let read: ReadConfiguration
    try {
      read = readConfiguration(this.#file)
    } catch (error) {
      const { message } = error as Error
      if (message !== this.#failure) this.#listener.onFailure(error)
      this.#failure = message
      return
    }
    const { configuration, files } = read
    this.#watch(files)
    if (this.#failure === undefined && isDeepStrictEqual(configuration, this.#current)) return
    this.#failure = undefined
    this.#current = configuration
    this.#listener.onChange(configuration, waitingSettings(this.#started, configuration))
  }

  /** Stops watching the files. */
  close (): void {
    this.#watch([])
  }

  #watch (files: string[]) {
    for (const file of this.#files) if (!files.includes(file)) unwatchFile(file, this.#look)
    for (const file of files) {
      if (!this.#files.includes(file)) watchFile(file, { interval: INTERVAL, persistent: false }, this.#look)
    }
    this.#files = [...new Set(files)]
  }
}
