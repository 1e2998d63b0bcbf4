import { unwatchFile, watchFile } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { readConfiguration, type Configuration } from './index.js'

/** Milliseconds between two looks at a file. It may be a link whose target changes, as Kubernetes mounts them. */
const LOOK = 1000

/** What goes into effect at once; all else is taken at the start. */
const LIVE = ['clients', 'accounts', 'organization'] as const

export interface Told {
  /** Another configuration is to be used. @param waiting settings that only a restart brings into effect */
  changed (configuration: Configuration, waiting: string[]): void
  /** What is there can not be used; the one before stays. Told once, until something else is there. */
  failed (error: unknown): void
}

/** Reads a configuration anew when one of its files changes, or when it is told to. */
export class Reload {
  readonly #file: string
  readonly #told: Told
  #current: Configuration
  #files: string[] = []
  #complaint: string | undefined
  readonly #look = () => this.now()

  /** @param file of which `current` was read */
  constructor (file: string, { configuration, files }: ReturnType<typeof readConfiguration>, told: Told) {
    this.#file = file
    this.#told = told
    this.#current = configuration
    this.#watch(files)
  }

  /** All or nothing: a file that can not be used changes nothing. */
  now (): void {
    let read: ReturnType<typeof readConfiguration>
    try {
      read = readConfiguration(this.#file)
    } catch (error) {
      const { message } = error as Error
      if (message !== this.#complaint) this.#told.failed(error)
      this.#complaint = message
      return
    }
    const { configuration, files } = read
    this.#watch(files)
    const changed = (Object.keys(configuration) as (keyof Configuration)[])
      .filter((name) => !isDeepStrictEqual(configuration[name], this.#current[name]))
    if (changed.length === 0 && this.#complaint === undefined) return
    this.#complaint = undefined
    this.#current = configuration
    this.#told.changed(configuration, changed.filter((name) => !(LIVE as readonly string[]).includes(name)))
  }

  #watch (files: string[]) {
    for (const file of this.#files) if (!files.includes(file)) unwatchFile(file, this.#look)
    for (const file of files) {
      if (!this.#files.includes(file)) watchFile(file, { interval: LOOK, persistent: false }, this.#look)
    }
    this.#files = [...new Set(files)]
  }
}
