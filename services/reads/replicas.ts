import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { redisClient } from '../redis.js'
import type { Scope } from './memory.js'

/** Channels: what is to be forgotten, and that it was. */
const FORGET = 'spot-api:forget'
const FORGOT = 'spot-api:forgot'

/** Milliseconds for an answer of Redis. */
const PATIENCE = 250

interface Message extends Scope { id: string, from: string }

/**
 * Tells the servers that share a Redis what a write touched, so that they forget it too, before the writer has its
 * answer. One that is silent is waited for as long as what it remembers is fresh: from then on it asks Spot itself.
 */
export class Replicas {
  readonly #name = randomUUID()
  readonly #publisher: Redis
  readonly #subscriber: Redis
  readonly #patience: number
  /** Writes that others are told of, with how many of them have not answered yet. */
  readonly #told = new Map<string, { silent: number, done: () => void }>()

  /**
   * @param forget what to do when another server wrote; without a scope, when it may have
   * @param patience milliseconds that the others are waited for at most
   */
  constructor (url: string, forget: (scope?: Scope) => void, patience: number) {
    this.#publisher = redisClient(url, PATIENCE)
    this.#subscriber = redisClient(url, PATIENCE)
    this.#patience = patience
    this.#subscriber.on('message', (channel, text) => {
      const message: Message = JSON.parse(text)
      if (channel === FORGOT) return this.#count(message.id, -1)
      if (message.from !== this.#name) forget(message)
      this.#publisher.publish(FORGOT, JSON.stringify({ id: message.id })).catch(() => {})
    })
    // Also whenever the connection comes back: what was said meanwhile went unheard.
    this.#subscriber.on('ready', () => {
      this.#subscriber.subscribe(FORGET, FORGOT).then(() => forget(), () => {})
    })
  }

  /** Listens from here on, whenever Redis is there. */
  open (): void {
    for (const redis of [this.#subscriber, this.#publisher]) redis.connect().catch(() => {})
  }

  /** @returns once all others have forgotten it, or need not */
  async tell (scope: Scope): Promise<void> {
    const message: Message = { ...scope, id: randomUUID(), from: this.#name }
    const forgotten = new Promise<void>((resolve) => this.#told.set(message.id, { silent: 0, done: resolve }))
    const timer = setTimeout(() => this.#end(message.id), this.#patience)
    try {
      this.#count(message.id, await this.#publisher.publish(FORGET, JSON.stringify(message)))
      await forgotten
    } catch {
      // Without Redis the others can not be told. What they remember is fresh for no longer than this.
      await sleep(this.#patience)
    } finally {
      clearTimeout(timer)
      this.#told.delete(message.id)
    }
  }

  close (): void {
    this.#publisher.disconnect()
    this.#subscriber.disconnect()
  }

  /** Answers may come before it is known how many are to come, so the count may be below zero for a while. */
  #count (id: string, more: number): void {
    const told = this.#told.get(id)
    if (!told) return
    told.silent += more
    if (told.silent === 0) told.done()
  }

  #end (id: string): void {
    this.#told.get(id)?.done()
  }
}
