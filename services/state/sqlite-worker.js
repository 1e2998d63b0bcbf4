// @ts-check
// The thread with the file: SQLite blocks while it waits for a lock or for the disk, and the server must not. Plain
// JavaScript, since a thread starts without the loader that runs TypeScript in tests; tsc checks it and copies it.
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { openFile } from './sqlite-file.js'

/** @typedef {import('./sqlite.js').Task} Task */
/** @typedef {import('./sqlite.js').Write} Write */
/** @typedef {import('./sqlite.js').Read} Read */
/** @typedef {import('./sqlite.js').TaskResult} TaskResult */
/** @typedef {ReturnType<typeof openFile>} Rows */

const port = /** @type {import('node:worker_threads').MessagePort} */ (parentPort)
const { directory, file, sweepEvery } = /** @type {import('./sqlite.js').Settings} */ (workerData)

/** Records in a page, and bytes after which it ends. */
const PAGE = 200
const PAGE_BYTES = 4_000_000

/** Records that one sweep checks: some milliseconds. */
const SWEEP = 1000

/** After these errors the connection may be unusable. The next call opens a new one. */
const FATAL = /^SQLITE_(?:NOTADB|CORRUPT|IOERR|CANTOPEN|READONLY)/

/** @type {Rows | undefined} */
let open

function close () {
  open?.close()
  open = undefined
}

/**
 * Opens the file, if it is not open, and closes it after an error that may have ruined the connection.
 *
 * @template T
 * @param {(rows: Rows) => T} act
 */
function withFile (act) {
  try {
    open ??= openFile(directory, file)
    return act(open)
  } catch (error) {
    if (FATAL.test(String(/** @type {NodeJS.ErrnoException} */ (error).code))) close()
    throw error
  }
}

/**
 * All in one transaction: the disk takes as long for one as for a hundred.
 *
 * @template T
 * @param {(rows: Rows, now: number) => T} act
 */
const commit = (act) => withFile((rows) => {
  rows.begin()
  try {
    // Not earlier: BEGIN may have waited for seconds.
    const result = act(rows, Date.now())
    rows.commit()
    return result
  } catch (error) {
    rows.rollback()
    throw error
  }
})

/**
 * @param {Rows} rows
 * @param {string} key
 * @param {number} now
 */
function living (rows, key, now) {
  const row = rows.get(key)
  return row && row.until > now ? row : undefined
}

/**
 * @param {{ version: number, written: number, value: ArrayBuffer | Buffer }} row
 * @param {number} now
 */
const recordOf = ({ version, written, value }, now) =>
  ({ value: Buffer.from(/** @type {ArrayBuffer} */ (value)).toString(), version, age: Math.max(0, now - written) })

/**
 * @param {Write} task
 * @param {Rows} rows
 * @param {number} now
 */
function write (task, rows, now) {
  const { key, expected } = task
  const same = living(rows, key, now)?.version === expected
  if (task.ask === 'remove') {
    if (same) rows.remove(key)
    return same
  }
  const { version, value, ttl } = task
  if (same) rows.put({ key, version, written: now, until: now + ttl, value: Buffer.from(value) })
  return same ? version : undefined
}

/**
 * @param {Read} task
 * @param {Rows} rows
 * @param {number} now
 */
function read (task, rows, now) {
  if (task.ask === 'get') {
    const row = living(rows, task.key, now)
    return row && recordOf(row, now)
  }
  const records = []
  let last
  let bytes = 0
  for (const row of rows.page(task.after, PAGE)) {
    last = row.key
    if (row.until > now) records.push([row.key, recordOf(row, now)])
    bytes += row.value.byteLength
    if (bytes > PAGE_BYTES) break
  }
  return { records, last }
}

/**
 * The result of an action, for each task.
 *
 * @param {Task[]} tasks
 * @param {() => unknown[]} act
 * @returns {TaskResult[]}
 */
function resultsOf (tasks, act) {
  try {
    const results = act()
    return tasks.map(({ id }, at) => ({ id, result: results[at] }))
  } catch (error) {
    const { message, code } = /** @type {NodeJS.ErrnoException} */ (error)
    return tasks.map(({ id }) => ({ id, failure: { message, code } }))
  }
}

/** @type {(task: Task) => task is Write} */
const isWrite = (task) => task.ask === 'swap' || task.ask === 'remove'
/** @type {(task: Task) => task is Read} */
const isRead = (task) => !isWrite(task)

/**
 * The writes in one transaction, then the reads: where nothing can be written, reads still succeed.
 *
 * @param {Task[]} tasks
 * @returns {TaskResult[]}
 */
function carryOut (tasks) {
  const now = Date.now()
  const current = tasks.filter(({ by }) => by > now)
  const writes = current.filter(isWrite)
  const reads = current.filter(isRead)
  return [
    // Nobody waits for these any more, and a claim that nobody knows of would block others.
    ...resultsOf(tasks.filter(({ by }) => by <= now), () => { throw new Error('it was too busy') }),
    ...writes.length > 0
      ? resultsOf(writes, () => commit((rows, now) => writes.map((task) => write(task, rows, now))))
      : [],
    ...reads.flatMap((task) => resultsOf([task], () => [withFile((rows) => read(task, rows, Date.now()))]))
  ]
}

let swept = ''
function sweep () {
  if (!open) return
  const page = open.ends(swept, SWEEP)
  swept = page.length < SWEEP ? '' : page.at(-1)?.key ?? ''
  const start = Date.now()
  const expired = page.filter(({ until }) => until <= start)
  if (expired.length === 0) return
  commit((rows, now) => {
    for (const { key } of expired) if (!living(rows, key, now)) rows.remove(key)
  })
}
const sweeping = setInterval(() => {
  // Tried again at the next sweep; calls report the failure.
  try { sweep() } catch {}
}, sweepEvery)

port.on('message', (/** @type {Task | 'close'} */ first) => {
  const messages = [first]
  for (let next = receiveMessageOnPort(port); next; next = receiveMessageOnPort(port)) messages.push(next.message)
  const tasks = messages.filter((message) => message !== 'close')
  if (tasks.length > 0) port.postMessage(carryOut(tasks))
  if (tasks.length === messages.length) return
  clearInterval(sweeping)
  close()
  port.close()
})
