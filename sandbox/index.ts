import { buildApp } from './app.js'
import { realClock } from './clock.js'
import type { Clock } from './clock.js'
import { Faults } from './faults/model.js'
import type { ListShape } from './operation.js'
import { Authorization, defaultAccess } from './protocol/authorization.js'
import type { AccountAccess } from './protocol/authorization.js'
import { RateLimit } from './protocol/rate-limit.js'
import { seed } from './seed.js'
import type { RecordedCall } from './transcript.js'
import { World } from './world.js'

export { realClock, stoppedClock } from './clock.js'
export { BROKEN_RULE } from './listener-rules/engine.js'
export { UNHEALTHY_IMAGE } from './machines/engine.js'
export { BROKEN_INSTANCE } from './migrations/engine.js'
export type { AccountAccess } from './protocol/authorization.js'
export type { Clock } from './clock.js'
export type { Fault, FaultKind, Faults } from './faults/model.js'
export type { ListShape } from './operation.js'
export type { ErrorEntry } from './protocol/errors.js'
export type { RecordedCall } from './transcript.js'

export interface SandboxOptions {
  /** Default `127.0.0.1`. */
  host?: string
  /** Default 0: any free port. */
  port?: number
  /** Accounts and the tokens that open them. Default: `act-5a9db0c5` with a random token. */
  accounts?: AccountAccess[]
  /** Whether the first account starts with sample groups and instances. Default true. */
  seed?: boolean
  /** Calls per 60 s, per organization (token), route template and method. Default 1000. */
  rateLimit?: number
  /** How managed instances are listed: `{ id, createdAt, updatedAt, config }` or flat. Default `wrapped`. */
  listShape?: ListShape
  /** Default: the real time. */
  clock?: Clock
}

export interface Sandbox {
  /** Such as `http://127.0.0.1:41234`, without a slash at the end. */
  url: string
  accounts: AccountAccess[]
  clock: Clock
  faults: Faults
  /** Every call received, oldest first, the newest 10,000. Tests may empty it: `transcript.length = 0`. */
  transcript: RecordedCall[]
  /** Stops listening and ends every connection, hanging ones too. */
  close (): Promise<void>
}

/**
 * Starts a simulated Spot API that listens for HTTP.
 * @throws Error when it cannot listen, such as EADDRINUSE
 */
export async function startSandbox (options: SandboxOptions = {}): Promise<Sandbox> {
  const accounts = options.accounts ?? defaultAccess()
  const clock = options.clock ?? realClock()
  const faults = new Faults()
  const transcript: RecordedCall[] = []
  const world = new World()
  const first = accounts[0]
  if (first !== undefined && options.seed !== false) seed(world.account(first.id), clock.now())
  const app = buildApp({
    authorization: new Authorization(accounts),
    clock,
    faults,
    listShape: options.listShape ?? 'wrapped',
    rateLimit: new RateLimit(options.rateLimit ?? 1000),
    transcript,
    world
  })
  const url = await app.listen({ host: options.host ?? '127.0.0.1', port: options.port ?? 0 })
  return { url, accounts, clock, faults, transcript, close: async () => { await app.close() } }
}
