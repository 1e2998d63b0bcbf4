import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Reading } from './memory.js'

/** Bytes of answers that are kept. */
const MOST_BYTES = 64 * 1024 * 1024

/** An answer as it leaves, with what it was made of. */
export interface KeptAnswer {
  bytes: Buffer
  /** Strong: it changes with any byte. */
  etag: string
  /** Headers of its own, such as Retry-After. */
  headers: Record<string, string | undefined>
  /** When the oldest of what it was made of was asked, by `performance.now()`. */
  at: number
  readings: Reading[]
}

/** Answers that were given a moment ago, ready to leave again while all that they were made of is fresh. */
export class Answers {
  readonly #isFresh: (reading: Reading) => boolean
  readonly #kept = new LRUCache<string, KeptAnswer>({
    maxSize: MOST_BYTES, sizeCalculation: ({ bytes }) => bytes.length + 1000
  })

  constructor (isFresh: (reading: Reading) => boolean) {
    this.#isFresh = isFresh
  }

  /** @param url path and query as they came */
  get (url: string): KeptAnswer | undefined {
    const answer = this.#kept.get(url)
    return answer?.readings.every(this.#isFresh) ? answer : undefined
  }

  keep (url: string, body: string, headers: KeptAnswer['headers'], readings: Reading[]): KeptAnswer {
    const bytes = Buffer.from(body)
    const etag = `"${createHash('sha1').update(bytes).digest('base64url')}"`
    const at = Math.min(...readings.map((reading) => reading.at))
    const answer = { bytes, etag, headers, at, readings }
    if (readings.every(this.#isFresh)) this.#kept.set(url, answer)
    return answer
  }
}
