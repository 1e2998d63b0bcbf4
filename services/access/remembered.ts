import { LRUCache } from 'lru-cache'

/**
 * Tokens that are remembered of each holder, and for how long since their last use (milliseconds). They expire by the
 * second: to be exact to the millisecond takes a timer each millisecond.
 */
const MOST = { max: 200, ttl: 10 * 60_000, ttlResolution: 1000, updateAgeOnGet: true }

/** What is remembered of tokens by their hash: so many of each holder that no holder pushes out those of another. */
export class Remembered<V extends { holder: { name: string } }> {
  readonly #ofHolder = new Map<string, LRUCache<string, V>>()
  readonly #ofHash = new Map<string, LRUCache<string, V>>()

  get (hash: string): V | undefined {
    return this.#ofHash.get(hash)?.get(hash)
  }

  set (hash: string, value: V): void {
    const { name } = value.holder
    const tokens = this.#ofHolder.get(name) ?? new LRUCache({
      ...MOST, dispose: (_value, hash, reason) => { if (reason !== 'set') this.#ofHash.delete(hash) }
    })
    this.#ofHolder.set(name, tokens)
    this.#ofHash.set(hash, tokens)
    tokens.set(hash, value)
  }

  /** Replaces each value; forgets those that are replaced by nothing. */
  update (change: (value: V) => V | undefined): void {
    for (const [name, tokens] of this.#ofHolder) {
      for (const [hash, value] of [...tokens.entries()]) {
        const next = change(value)
        if (next) tokens.set(hash, next)
        else tokens.delete(hash)
      }
      if (tokens.size === 0) this.#ofHolder.delete(name)
    }
  }
}
