import { randomUUID } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { open, type RootDatabase } from 'lmdb'
import { StoreError, type Store, type Stored, type Version } from './store.js'

interface Entry extends Stored {
  /** When its time is over, milliseconds since the epoch. */
  ends: number
}

/** Milliseconds between two sweeps, and records that are looked at without a pause. */
const SWEEP = 3600_000
const SLICE = 500

/**
 * A store in files of this machine: https://github.com/kriszyp/lmdb-js. Processes may share the directory.
 *
 * @param directory made where it is not there; only its owner can read it
 */
export function embeddedStore (directory: string): Store {
  let opened: RootDatabase<Entry, string> | undefined

  function database (): RootDatabase<Entry, string> {
    if (opened) return opened
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    // Otherwise a promise would resolve before the change is on the disk.
    opened = open<Entry, string>({ path: directory, overlappingSync: false })
    sweep().catch(() => {})
    return opened
  }

  /** Whatever goes wrong, in one form; then it is opened anew. */
  async function use<T> (work: (db: RootDatabase<Entry, string>) => T | Promise<T>): Promise<T> {
    try {
      const db = database()
      db.resetReadTxn() // other processes may have written
      return await work(db)
    } catch (cause) {
      const { code, message } = cause as NodeJS.ErrnoException
      throw new StoreError(`the state directory ${directory} can not be used (${code ?? message})`, { cause })
    }
  }

  const living = (entry: Entry | undefined) => entry && entry.ends > Date.now() ? entry : undefined

  /** Carries out a change if the key still has this version (undefined: nothing, or something whose time is over). */
  const change = (key: string, expected: Version | undefined, to: Entry | undefined) => use((db) =>
    db.transaction(() => {
      if (living(db.get(key))?.version !== expected) return false
      if (to) db.put(key, to)
      else db.remove(key)
      return true
    }))

  async function sweep (): Promise<void> {
    let looked = 0
    for (const { key, value } of opened?.getRange() ?? []) {
      if (!living(value)) await change(key, undefined, undefined)
      if (++looked % SLICE === 0) await setImmediate()
    }
  }
  const timer = setInterval(() => { sweep().catch(() => {}) }, SWEEP).unref()

  return {
    get: (key) => use((db) => living(db.get(key))),
    async swap (key, expected, value, ttl) {
      const version = randomUUID()
      return await change(key, expected, { value, version, ends: Date.now() + ttl }) ? version : undefined
    },
    remove: (key, expected) => change(key, expected, undefined),
    async * all () {
      const keys = await use((db) => [...db.getKeys()])
      for (const key of keys) {
        const stored = await use((db) => living(db.get(key)))
        if (stored) yield [key, stored]
      }
    },
    async close () {
      clearInterval(timer)
      await opened?.close()
    }
  }
}
