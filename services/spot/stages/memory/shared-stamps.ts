import type { Clock } from '../../clock.js'
import type { Stamps, StampValues } from './stamps.js'

/** Milliseconds between two attempts to reach the stamps again. */
const RETRY = 1000

/** Milliseconds that a call takes at most. */
export const STAMPS_TIMEOUT = 250

/** Where several servers keep their stamps. Each call throws if it takes longer than `STAMPS_TIMEOUT`. */
export interface StampStore {
  /** Missing stamps are made; an excluded name has an empty one. */
  read (names: readonly string[]): Promise<StampValues>
  /** Replaces the stamps, or excludes the names for so many milliseconds; a longer exclusion stays. */
  renew (names: readonly string[], excludeFor: number): Promise<void>
  /** Gets ready before the first call. */
  open (): Promise<void>
  close (): void
}

export interface SharedStampsOptions {
  store: StampStore
  clock: Clock
  /** Called when the store can no longer be reached, and when it can again; at first it is assumed to be. */
  onChange: (usable: boolean) => void
}

/**
 * Stamps that several servers share. No messages are sent, so none can be missed: each use of memory reads the stamps,
 * and while they cannot be read, memory is not used.
 */
export function sharedStamps ({ store, clock, onChange }: SharedStampsOptions) {
  let usable = true
  let closed = false
  let cancelRetry = () => {}

  /** One failure switches memory off, or each request would wait in vain. */
  function lost () {
    if (!usable || closed) return
    usable = false
    onChange(false)
    retry()
  }

  function retry () {
    cancelRetry = clock.after(RETRY, async () => {
      const back = await store.read(['probe']).then(() => true, () => false)
      if (closed) return
      if (!back) return retry()
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
    timeout: STAMPS_TIMEOUT,
    read: (names) => ask(() => store.read(names)),
    renew: async (names, excludeFor) => await ask(() => store.renew(names, excludeFor).then(() => true)) ?? false,
    open: () => { store.open().catch(lost) },
    close () {
      closed = true
      cancelRetry()
      store.close()
    }
  } satisfies Stamps & { open (): void, close (): void }
}
