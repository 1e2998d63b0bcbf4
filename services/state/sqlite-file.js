// @ts-check
// The file, by SQLite. Plain JavaScript like sqlite-worker.js, which says why.
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'libsql'

/**
 * @typedef {{ key: string, version: number, written: number, until: number, value: ArrayBuffer | Buffer }} Row
 * `written` and `until` are milliseconds since the epoch, by the clock of this machine.
 */

/** Format of the file. A file of another format is not changed. */
const FORMAT = 1

/** Milliseconds to wait for another process that has locked the file. */
const BUSY = 4000

const SETTINGS = [
  `busy_timeout = ${BUSY}`,
  // A commit is on the disk when it returns. fullfsync: on macOS, fsync alone leaves it in the disk's cache.
  'synchronous = FULL',
  'fullfsync = ON',
  // A damaged page is an error rather than wrong values.
  'cell_size_check = ON',
  'trusted_schema = OFF'
]

/**
 * @param {string} directory created if missing, for this user alone
 * @param {string} file name in the directory
 * @throws {Error} when they cannot be used
 */
export function openFile (directory, file) {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const path = join(directory, file)
  create(path)
  const database = new Database(path)
  try {
    for (const setting of SETTINGS) database.pragma(setting)
    // Not WAL: SQLite before 3.51.3 can lose commits. Keeping the journal's file saves a sync of the directory.
    const mode = pragma(database, 'journal_mode', 'PERSIST')
    if (mode !== 'persist') throw new Error(`it cannot keep a journal, only ${mode}`)
    prepareTable(database)
    return statementsOf(database)
  } catch (error) {
    database.close()
    throw error
  }
}

/** @param {Database.Database} database */
function statementsOf (database) {
  const begin = database.prepare('BEGIN IMMEDIATE')
  const commit = database.prepare('COMMIT')
  const get = database.prepare('SELECT version, written, until, value FROM records WHERE key = ?')
  // A text column would end at its first NUL, so values are blobs.
  const put = database.prepare(
    'INSERT OR REPLACE INTO records (key, version, written, until, value) VALUES (?, ?, ?, ?, ?)')
  const remove = database.prepare('DELETE FROM records WHERE key = ?')
  const page = database.prepare(
    'SELECT key, version, written, until, value FROM records WHERE key > ? ORDER BY key LIMIT ?')
  const ends = database.prepare('SELECT key, until FROM records WHERE key > ? ORDER BY key LIMIT ?')
  return {
    begin: () => begin.run(),
    commit: () => commit.run(),
    rollback () {
      // SQLite has mostly done it already.
      if (database.inTransaction) database.exec('ROLLBACK')
    },

    /** @param {string} key */
    get: (key) => /** @type {(Omit<Row, 'key'> | undefined)[]} */ (get.all(key))[0],

    /** @param {Row} row */
    put: ({ key, version, written, until, value }) => put.run(key, version, written, until, value),

    /** @param {string} key */
    remove: (key) => remove.run(key),

    /**
     * The rows that follow a key.
     *
     * @param {string} after
     * @param {number} limit
     */
    page: (after, limit) => /** @type {Row[]} */ (page.all(after, limit)),

    /**
     * The same without their values.
     *
     * @param {string} after
     * @param {number} limit
     */
    ends: (after, limit) => /** @type {Pick<Row, 'key' | 'until'>[]} */ (ends.all(after, limit)),

    close: () => database.close()
  }
}

/**
 * Creates the file, for this user alone, if it is missing. Only then: a process that closes a file loses all its locks
 * on it, so opening an existing one here would release SQLite's locks in every thread, and another process's commit
 * could be overwritten. Nothing else in this process may open it.
 *
 * https://www.sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_
 *
 * @param {string} path
 */
function create (path) {
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error
  }
}

/** @param {Database.Database} database */
function prepareTable (database) {
  const format = () => pragma(database, 'user_version')
  if (format() === 0) {
    database.transaction(() => {
      database.exec(`
        CREATE TABLE IF NOT EXISTS records (
          key TEXT PRIMARY KEY, version INTEGER NOT NULL, written INTEGER NOT NULL, until INTEGER NOT NULL,
          value BLOB NOT NULL
        ) STRICT, WITHOUT ROWID`)
      database.exec(`PRAGMA user_version = ${FORMAT}`)
    }).immediate()
  }
  if (format() === FORMAT) return
  const message = `its file has format ${format()}, and this version of spot-api knows format ${FORMAT}`
  throw Object.assign(new Error(message), { code: 'FORMAT' })
}

/**
 * The value of a setting, after changing it if a value is given.
 *
 * @param {Database.Database} database
 * @param {string} name
 * @param {string} [value]
 */
function pragma (database, name, value) {
  const [row] = /** @type {Record<string, unknown>[]} */ (database.pragma(value ? `${name} = ${value}` : name))
  return row?.[name]
}
