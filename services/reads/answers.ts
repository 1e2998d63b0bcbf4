import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Reading } from './memory.js'

/** Answers that are kept, and their bytes: each is of use for no longer than it is fresh. */
const MOST = 1000
const MOST_BYTES = 64 * 1024 * 1024

/** Characters from which on an answer is kept as bytes: encoding it each time would take longer than a second piece. */
const LARGE = 64 * 1024

/** An answer as it leaves, with what it was made of. */
export interface KeptAnswer {
  /** Text where it is short: with its headers it leaves in one piece then. */
  body: string | Buffer
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
    max: MOST, maxSize: MOST_BYTES, sizeCalculation: ({ body }) => body.length + 1000
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
    const etag = `"${createHash('sha1').update(body).digest('base64url')}"`
    const at = Math.min(...readings.map((reading) => reading.at))
    const answer = { body: body.length > LARGE ? Buffer.from(body) : body, etag, headers, at, readings }
    if (readings.every(this.#isFresh)) this.#kept.set(url, answer)
    return answer
  }
}
