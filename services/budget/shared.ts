import { setTimeout as sleep } from 'node:timers/promises'
import type { Refusal, Ticket } from './allowance.js'
import { MemoryLedger, type Ledger, type Polled } from './ledger.js'
import type { Heard } from './quota.js'
import type { RedisAllowances, SharedTicket } from './redis.js'

/** Milliseconds that Redis may hold up a call, and after which it is tried again once it did. */
const PATIENCE = 200
const RETRY = 1000

interface Both { own: Ticket, shared: SharedTicket | undefined }

/**
 * Allowances that several servers share through Redis. A place must be free in the memory of this server too, so that
 * it knows what it was told itself when Redis goes, and goes on alone. Redis is an aid: it fails nothing.
 */
export class SharedLedger implements Ledger<Both> {
  readonly #url: string
  readonly #memory: MemoryLedger
  readonly #tell: (shared: boolean) => void
  /** Redis, or that it is being connected to for the first time; undefined while this server is alone. */
  #allowances: RedisAllowances | Promise<RedisAllowances | undefined> | undefined
  /** Routes on which calls were sent that Redis does not know of. */
  readonly #strayed = new Set<string>()
  #opened = false
  #closed = false
  #timer: NodeJS.Timeout | undefined

  /** @param tell told when Redis goes, and when it is back */
  constructor (url: string, tell: (shared: boolean) => void, memory = new MemoryLedger()) {
    this.#url = url
    this.#tell = tell
    this.#memory = memory
  }

  async reserve (route: string, lease: number): Promise<{ ticket: Both } | Refusal & Polled> {
    this.open()
    const own = this.#memory.reserve(route)
    if ('wait' in own) return own
    const shared = await this.#ask((allowances) => allowances.reserve(route, lease))
    if (!shared) this.#strayed.add(route)
    if (!shared || 'epoch' in shared) return { ticket: { own: own.ticket, shared } }
    this.#memory.settle(route, own.ticket, 'unsent')
    return shared
  }

  async settle (route: string, { own, shared }: Both, heard: Heard): Promise<void> {
    this.#memory.settle(route, own, heard)
    await this.#ask((allowances) => allowances.settle(route, shared, heard))
  }

  remaining (route: string): number | undefined {
    return this.#memory.remaining(route)
  }

  open (): void {
    if (this.#opened) return
    this.#opened = true
    this.#allowances = this.#connect().catch(() => this.#alone())
  }

  close (): void {
    this.#closed = true
    clearTimeout(this.#timer)
    const allowances = this.#allowances
    this.#allowances = undefined
    if (allowances) Promise.resolve(allowances).then((open) => open?.close(), () => {})
  }

  async #connect (): Promise<RedisAllowances | undefined> {
    const { redisAllowances } = await import('./redis.js')
    const allowances = await redisAllowances(this.#url, PATIENCE)
    for (const route of this.#strayed) await allowances.forget(route)
    this.#strayed.clear()
    if (this.#closed) allowances.close()
    else this.#allowances = allowances
    return this.#closed ? undefined : allowances
  }

  /** Asks Redis, where it answers; undefined where it does not. */
  async #ask<T> (question: (allowances: RedisAllowances) => Promise<T>): Promise<T | undefined> {
    const pending = this.#allowances
    const allowances = pending instanceof Promise
      ? await Promise.race([pending, sleep(PATIENCE, undefined, { ref: false })])
      : pending
    if (!allowances) return undefined
    try {
      return await question(allowances)
    } catch {
      if (this.#allowances !== allowances) return undefined // another call has said so
      allowances.close()
      return this.#alone()
    }
  }

  #alone (): undefined {
    this.#allowances = undefined
    if (this.#closed) return
    this.#tell(false)
    this.#retryLater()
  }

  #retryLater (): void {
    this.#timer = setTimeout(async () => {
      try {
        if (await this.#connect()) this.#tell(true)
      } catch {
        if (!this.#closed) this.#retryLater()
      }
    }, RETRY).unref()
  }
}
