import { embedded } from './embedded.js'
import { StoreError } from './error.js'
import { changesOnly, guard, type OnChange } from './guard.js'
import { redis } from './redis.js'
import type { Store } from './store.js'

export { StoreError } from './error.js'
export type { Store, Stored, Version } from './store.js'

/** A directory of this machine, or the URL of a Redis that several machines share. */
export type StoreSettings = { directory: string } | { redis: string }

/** Milliseconds that a call may take. A disk can be busy for longer than a Redis should be. */
const PATIENCE = { disk: 5000, redis: 2500 }

/**
 * The place for what must survive a restart. Nothing is opened before the first call, and a call that fails makes the
 * next one try again.
 */
export function openStore (settings: StoreSettings, onChange: OnChange = () => {}): Store {
  const changes = changesOnly(onChange)
  if ('directory' in settings) {
    const { directory } = settings
    return guard(embedded(directory), {
      patience: PATIENCE.disk,
      explain: ({ message }) =>
        `The state directory ${directory} can not be used: ${message}. See that this user may write there, and that ` +
        'the disk has room.',
      onChange: changes
    })
  }
  const { host } = new URL(settings.redis)
  const explain = ({ message }: Error) =>
    `The Redis at ${host} can not be used: ${message}. See that it runs, can be reached and takes this password.`
  const store = redis(settings.redis, (cause) => changes(cause && new StoreError(explain(cause), { cause })))
  return guard(store, { patience: PATIENCE.redis, explain, onChange: changes })
}
