import { LRUCache } from 'lru-cache'
import { asJson } from '../event-loop/yield.js'
import type { Answer, Proof } from '../spot/answer.js'
import { etagOf } from './entity-tags.js'
import { offsetOf } from './retry-after.js'

/** Replies that are kept, and their bytes: each is of use for no longer than what it was made of is fresh. */
const MOST = 1000
const MOST_BYTES = 64 * 1024 * 1024

/** Characters from which on a reply is kept as bytes: encoding it each time would take longer than a second piece. */
const LARGE = 64 * 1024

/** The body of a read as it leaves, and as its ETag is made of. */
export const bodyText = async (body: unknown): Promise<string> => `${await asJson(body)}\n`

/** A reply as it leaves, with what it was made of. */
export interface FinishedReply {
  /** Text where it is short: with its headers it leaves in one piece then. */
  body: string | Buffer
  /** Strong: it changes with any byte. */
  etag: string
  /** Headers of its own, such as Link. Its Retry-After says how often to ask, not when. */
  headers: Record<string, string | undefined>
  /** When the oldest of what it was made of was asked, by the clock. */
  askedAt: number
  /** Of the moments to ask again, where it has a Retry-After. */
  offset: number
  /** Of all that it was made of, where all may be given again. */
  proof: Proof | undefined
}

/** Replies that were given a moment ago, ready to leave again while all that they were made of may be given. */
export class FinishedReplies {
  readonly #kept = new LRUCache<string, FinishedReply>({
    max: MOST, maxSize: MOST_BYTES, sizeCalculation: ({ body }) => body.length + 1000
  })

  get (key: string): FinishedReply | undefined {
    return this.#kept.get(key)
  }

  keep (key: string, body: string, headers: FinishedReply['headers'], answers: readonly Answer[]): FinishedReply {
    // A page that has a next one now is another page, even if it has the same items.
    const etag = etagOf(body + (headers.Link ?? ''))
    const askedAt = Math.min(...answers.map((answer) => answer.askedAt))
    // Without the first word of the key, which says whether secrets are masked: all wait for the same resource.
    const offset = headers['Retry-After'] === undefined ? 0 : offsetOf(key.slice(key.indexOf(' ')))
    const proof = proofOf(answers)
    const reply = { body: body.length > LARGE ? Buffer.from(body) : body, etag, headers, askedAt, offset, proof }
    if (proof) this.#kept.set(key, reply)
    return reply
  }

  clear (): void {
    this.#kept.clear()
  }
}

function proofOf (answers: readonly Answer[]): Proof | undefined {
  const proofs = answers.map(({ proof }) => proof).filter((proof) => proof !== undefined)
  if (answers.length === 0 || proofs.length < answers.length) return undefined
  return { names: proofs.flatMap(({ names }) => names), stamps: proofs.flatMap(({ stamps }) => stamps) }
}
