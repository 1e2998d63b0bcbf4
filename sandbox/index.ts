import { setImmediate as turn } from 'node:timers/promises'
import { buildApp } from './app.js'
import { realClock } from './clock.js'
import type { Clock } from './clock.js'
import { Faults } from './faults/model.js'
import type { ListShape } from './operation.js'
import { Authorization, defaultAccess } from './protocol/authorization.js'
import type { AccountAccess } from './protocol/authorization.js'
import { RateLimit } from './protocol/rate-limit.js'
import { seed } from './seed.js'
import { openState } from './state/open.js'
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
export { DEFAULT_ACCOUNT } from './protocol/authorization.js'
export { StateError } from './state/file.js'
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
  /** Default: the real time, at `speed`. */
  clock?: Clock
  /** How many times as fast as real time the sandbox's clock runs. Default 1. */
  speed?: number
  /** Whether every token opens every account. Default false: each account has its token. */
  takesAnyToken?: boolean
  /** A file that the state is read from, if it exists, and kept in: after each change and at the end. */
  stateFile?: string
  /** Gets a line for each call that was answered. */
  log?: (line: string) => void
}

export interface Sandbox {
  /** Such as `http://127.0.0.1:41234`, without a slash at the end. */
  url: string
  accounts: AccountAccess[]
  clock: Clock
  faults: Faults
  /** Every call received, oldest first, the newest 10,000. Tests may empty it: `transcript.length = 0`. */
  transcript: RecordedCall[]
  /**
   * Stops listening and ends every connection, hanging ones too.
   * @throws StateError when the state cannot be kept
   */
  close (): Promise<void>
}

/**
 * Starts a simulated Spot API that listens for HTTP.
 * @throws Error when it cannot listen, such as EADDRINUSE, and StateError when `stateFile` cannot be used
 */
export async function startSandbox (options: SandboxOptions = {}): Promise<Sandbox> {
  const accounts = options.accounts ?? defaultAccess()
  const clock = options.clock ?? realClock(options.speed)
  const faults = new Faults()
  const transcript: RecordedCall[] = []
  const world = new World()
  const reset = () => {
    const [first] = accounts
    world.replace([])
    if (first !== undefined && options.seed !== false) seed(world.account(first.id), clock.now())
  }
  const { stateFile } = options
  const state = stateFile === undefined ? undefined : await openState(stateFile, { world, clock, reset })
  if (state === undefined) reset()
  const app = buildApp({
    authorization: new Authorization(accounts, options.takesAnyToken),
    clock,
    faults,
    listShape: options.listShape ?? 'wrapped',
    log: options.log,
    onChange: () => state?.change(),
    rateLimit: new RateLimit(options.rateLimit ?? 1000),
    reset,
    transcript,
    world
  })
  const url = await app.listen({ host: options.host ?? '127.0.0.1', port: options.port ?? 0 })
  return {
    url,
    accounts,
    clock,
    faults,
    transcript,
    close: async () => {
      await app.close()
      await state?.close()
      // A client in this process would send its next request over a connection that is gone: a whole turn of the event
      // loop lets it notice. Another sandbox may have the same port.
      await turn()
      await turn()
    }
  }
}
