import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import { LRUCache } from 'lru-cache'

/** Bytes of compressed replies that are kept. */
const MOST_BYTES = 16 * 1024 * 1024

type Compress = (body: string | Buffer) => Promise<Buffer>

const brotli = promisify(brotliCompress)

/** Quality 5 is as fast as gzip and smaller; beyond, brotli takes several times as long. */
const compress = {
  br: (body) => brotli(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } }),
  gzip: promisify(gzip)
} satisfies Record<string, Compress>

/** How a reply can be compressed. */
export type Coding = keyof typeof compress

/** The codings, the preferred one first. */
export const CODINGS = Object.keys(compress) as Coding[]

/** Compressed replies, each made once as long as there is room for it. */
export class CompressedReplies {
  readonly #kept = new LRUCache<string, Buffer>({ maxSize: MOST_BYTES, sizeCalculation: ({ length }) => length + 1000 })
  readonly #underWay = new Map<string, Promise<Buffer>>()

  /** @param key stands for the body */
  get (coding: Coding, key: string): Buffer | undefined {
    return this.#kept.get(`${coding} ${key}`)
  }

  /** Compresses a body; of many who ask at once, for one. Without a key it is not kept. */
  make (coding: Coding, key: string | undefined, body: () => Promise<Buffer> | Buffer | string): Promise<Buffer> {
    const make = async () => compress[coding](await body())
    if (key === undefined) return make()
    const name = `${coding} ${key}`
    const known = this.#underWay.get(name)
    if (known) return known
    const made = make().then((bytes) => {
      this.#kept.set(name, bytes)
      return bytes
    }).finally(() => this.#underWay.delete(name))
    this.#underWay.set(name, made)
    return made
  }
}
