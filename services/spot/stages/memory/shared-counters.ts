import type { Clock } from '../../clock.js'
import type { Counters, Words } from './counters.js'

/** Milliseconds between two attempts to reach the words again. */
const PROBE = 1000

/** Milliseconds that a call takes at most. */
export const PATIENCE = 250

/** Words that several servers share. Each call throws where they cannot be reached within `PATIENCE`. */
export interface SharedWords {
  /** Words that are missing are drawn; a name that is held has an empty one. */
  read (names: readonly string[]): Promise<Words>
  /** Draws new words, or holds the names for so many milliseconds; a hold that is longer stays. */
  change (names: readonly string[], holdFor: number): Promise<void>
  /** Gets ready before the first call. */
  open (): Promise<void>
  close (): void
}

export interface SharedCountersOptions {
  words: SharedWords
  clock: Clock
  /** Called when the words can no longer be reached, and when they can again; at first they are assumed to be. */
  onChange: (usable: boolean) => void
}

/**
 * Counters that several servers share. Nothing is listened to, so nothing can be missed: each use of memory asks for
 * the words, and while they cannot be reached, memory is not used.
 */
export function sharedCounters ({ words, clock, onChange }: SharedCountersOptions) {
  let usable = true
  let closed = false
  let cancelProbe = () => {}

  /** One failure switches memory off, or each request would wait in vain. */
  function lost () {
    if (!usable || closed) return
    usable = false
    onChange(false)
    probe()
  }

  function probe () {
    cancelProbe = clock.after(PROBE, async () => {
      const back = await words.read(['probe']).then(() => true, () => false)
      if (closed) return
      if (!back) return probe()
      usable = true
      onChange(true)
    })
  }

  async function ask<T> (question: () => Promise<T>): Promise<T | undefined> {
    if (!usable) return undefined
    try {
      return await question()
    } catch {
      lost()
      return undefined
    }
  }

  return {
    patience: PATIENCE,
    read: (names) => ask(() => words.read(names)),
    change: async (names, holdFor) => await ask(() => words.change(names, holdFor).then(() => true)) ?? false,
    open: () => { words.open().catch(lost) },
    close () {
      closed = true
      cancelProbe()
      words.close()
    }
  } satisfies Counters & { open (): void, close (): void }
}
