import { LRUCache } from 'lru-cache'

/** Names that have a stamp. A forgotten name gets a new stamp. Its exclusion, if any, is lost, so keep this large. */
const MAX_NAMES = 100_000

/** One stamp for each name, in their order. An empty one: the resource is excluded from memory. */
export type StampValues = readonly string[]

/**
 * A stamp is a random string per resource. Each write replaces it. What was remembered may be used while its stamps are
 * the same: a stamp that was lost or replaced without a write only makes memory unusable.
 */
export interface Stamps {
  /** @returns undefined where the stamps cannot be read: then memory is not used */
  read (names: readonly string[]): StampValues | undefined | Promise<StampValues | undefined>
  /**
   * Replaces the stamps.
   *
   * @param excludeFor milliseconds for which the names are excluded from memory: what was written may still change
   * @returns whether every server sees it
   */
  renew (names: readonly string[], excludeFor: number): boolean | Promise<boolean>
  /** Milliseconds that a call takes at most; 0: it never fails, since no other server uses them. */
  readonly timeout: number
}

/** Stamps of one process. */
export function localStamps (now: () => number): Stamps {
  // Not `max`: that allocates all slots at once.
  const stamps = new LRUCache<string, { stamp: string, excludedUntil: number }>({
    maxSize: MAX_NAMES, sizeCalculation: () => 1
  })
  let count = 0

  function set (name: string, excludedUntil: number) {
    const entry = { stamp: String(++count), excludedUntil }
    stamps.set(name, entry)
    return entry
  }

  return {
    timeout: 0,
    read: (names) => names.map((name) => {
      const { stamp, excludedUntil } = stamps.get(name) ?? set(name, 0)
      return excludedUntil > 0 && excludedUntil > now() ? '' : stamp
    }),
    renew (names, excludeFor) {
      for (const name of names) {
        set(name, Math.max(stamps.get(name)?.excludedUntil ?? 0, excludeFor && now() + excludeFor))
      }
      return true
    }
  }
}

/** Whether what is read now may be remembered: the stamps are known, and none is excluded. */
export const areUsable = (stamps: StampValues | undefined): stamps is StampValues =>
  stamps !== undefined && stamps.every(Boolean)

/** Whether memory may be used: both are known, no stamp is excluded, and none has changed. */
export const areUnchanged = (remembered: StampValues | undefined, current: StampValues | undefined): boolean =>
  areUsable(current) && current.length === remembered?.length &&
  current.every((stamp, index) => stamp === remembered[index])
