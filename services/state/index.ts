import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { guard, type WatchedState } from './guard.js'
import type { OnChange } from './health.js'
import { redis } from './redis.js'
import { sqlite } from './sqlite.js'

export { StateError } from './error.js'
export type { WatchedState } from './guard.js'
export type { State, StateRecord, Version } from './state.js'

/** A directory of this machine, or the URL of a Redis that several machines share. */
export type StateSettings = { directory: string } | { redis: string }

/** Milliseconds that a call may take. A disk can be busy longer than a Redis should be. */
const TIMEOUT = { disk: 5000, redis: 2500 }

/** What to do about an error of the disk, by its code. */
const ADVICE: [code: RegExp, advice: string][] = [
  [/^SQLITE_BUSY/, 'Another process has it locked: check whether one that shares it is stopped or hangs.'],
  [/^SQLITE_(?:NOTADB|CORRUPT)/, 'It is damaged: stop all servers that use it, move its files away and start them ' +
    'again. The Idempotency-Keys in it are lost.'],
  [/^FORMAT$/, 'Use the version that wrote it, or another directory.']
]
const DEFAULT_ADVICE = 'Make sure that this user may write there, and that the disk has room.'

/**
 * What must survive a restart. Opened by the first call; after a call that failed, the next one tries again.
 *
 * @param timeout milliseconds that a call to a directory may take
 */
export function openState (
  settings: StateSettings, onChange: OnChange = () => {}, timeout = TIMEOUT.disk
): WatchedState {
  if ('directory' in settings) {
    const { directory } = settings
    return guard(() => sqlite(directory, { timeout }), {
      timeout,
      explain: ({ message, code = '' }: NodeJS.ErrnoException) => {
        const [, advice = DEFAULT_ADVICE] = ADVICE.find(([pattern]) => pattern.test(code)) ?? []
        return `The state directory ${directory} cannot be used: ${message}. ${advice}`
      },
      onChange
    })
  }
  const { host } = new URL(settings.redis)
  return guard((onConnection) => redis(settings.redis, onConnection), {
    timeout: TIMEOUT.redis,
    // Redis ends some of its messages with a full stop.
    explain: ({ message }) => `The Redis at ${host} cannot be used: ${message.replace(/\.$/, '')}. ` +
      'Make sure that it runs, can be reached, takes this user and password, and can be written to.',
    onChange
  })
}

/** The LMDB file in which an earlier version kept its state. It is not read, and not changed. */
export function earlierState (settings: StateSettings): string | undefined {
  if (!('directory' in settings)) return undefined
  const file = join(settings.directory, 'data.mdb')
  return existsSync(file) ? file : undefined
}
