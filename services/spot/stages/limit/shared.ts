import { withDeadline, type Clock } from '../../clock.js'
import { isRefusal, type Ask, type Refusal, type Send, type Feedback } from './window.js'

/** Milliseconds that the shared window may hold up a call. */
const SHARED_TIMEOUT = 200

/** Milliseconds for a connection, and between two attempts to make one. */
const RETRY = 1000

/** The windows of all routes, as servers share them. Whatever fails is thrown; what hangs is given up here. */
export interface SharedWindow<S extends Send = Send> {
  /** Opens a new connection, and makes sure that it can be used. */
  connect (): Promise<void>
  enter (route: string, ask: Ask): Promise<S | Refusal>
  /** @param send undefined where the call was sent without the shared window */
  leave (route: string, client: string, send: S | undefined, feedback: Feedback): Promise<void>
  close (): void
}

/**
 * A shared window as one server uses it. It never makes a call fail: when it does not answer in time, the server
 * continues alone, and tries once a second to come back.
 */
export class Shared {
  readonly #window: SharedWindow
  readonly #clock: Clock
  readonly #onShared: (shared: boolean) => void
  /** A server that starts is not alone before it has failed to connect. */
  #state: 'new' | 'shared' | 'alone' | 'closed' = 'new'
  #connecting: Promise<void> | undefined
  #connectBy = 0
  #cancelRetry = () => {}

  /** @param onShared called when this server continues alone, and when it shares again */
  constructor (window: SharedWindow, clock: Clock, onShared: (shared: boolean) => void) {
    this.#window = window
    this.#clock = clock
    this.#onShared = onShared
  }

  /** Connects, unless it has begun to. */
  open (): void {
    if (this.#connecting || this.#state !== 'new') return
    this.#connectBy = this.#clock.now() + SHARED_TIMEOUT
    this.#connecting = this.#connect()
  }

  /** @returns undefined where this server is alone */
  async enter (route: string, ask: Ask): Promise<Send | Refusal | undefined> {
    let given = false
    const reply = await this.#ask(async () => {
      const reply = await this.#window.enter(route, ask)
      // Nobody waits for it any more.
      if (given && !isRefusal(reply)) await this.#window.leave(route, ask.client, reply, 'unsent')
      return reply
    })
    given = true
    return reply
  }

  async leave (route: string, client: string, send: Send | undefined, feedback: Feedback): Promise<void> {
    if (send === undefined && feedback === 'unsent') return
    await this.#ask(() => this.#window.leave(route, client, send, feedback))
  }

  close (): void {
    this.#state = 'closed'
    this.#cancelRetry()
    this.#window.close()
  }

  async #ask<T> (question: () => Promise<T>): Promise<T | undefined> {
    this.open()
    if (this.#state === 'new') {
      // The first calls wait for the connection, but not long.
      await withDeadline(this.#clock, this.#connectBy, this.#connecting as Promise<void>, late).catch(() => {})
    }
    if (this.#state !== 'shared') return undefined
    try {
      return await withDeadline(this.#clock, this.#clock.now() + SHARED_TIMEOUT, question(), late)
    } catch {
      if (this.#state === 'shared') this.#lost() // else another call has noticed
      return undefined
    }
  }

  async #connect (): Promise<void> {
    try {
      await withDeadline(this.#clock, this.#clock.now() + RETRY, this.#window.connect(), late)
      if (this.#state === 'closed') return this.#window.close()
      if (this.#state === 'alone') this.#onShared(true)
      this.#state = 'shared'
    } catch {
      this.#lost()
    }
  }

  #lost (): void {
    if (this.#state === 'closed') return
    const retrying = this.#state === 'alone'
    if (!retrying) this.#onShared(false)
    this.#state = 'alone'
    this.#cancelRetry()
    this.#cancelRetry = this.#clock.after(RETRY, () => { this.#connect() })
  }
}

const late = () => new Error('no answer in time')
