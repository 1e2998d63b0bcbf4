import { createRequire } from 'node:module'
import { Worker } from 'node:worker_threads'
import type { State, StateRecord, Version } from './state.js'
import { newVersion } from './version.js'

const require = createRequire(import.meta.url)

/** Name of the file in the directory. */
const FILE = 'state.sqlite'

/** Milliseconds between two sweeps of expired records. */
const SWEEP = 10_000

/** The thread's settings. */
export interface Settings {
  directory: string
  file: string
  /** Milliseconds. */
  sweepEvery: number
}

/** A task for the thread. After `by` (milliseconds since the epoch) nobody waits for the result. */
export type Task = Write | Read
interface TaskBase { id: number, by: number }

export type Write = TaskBase & (
  | { ask: 'swap', key: string, expected: Version | undefined, version: Version, value: string, ttl: number }
  | { ask: 'remove', key: string, expected: Version }
)
export type Read = TaskBase & (
  | { ask: 'get', key: string }
  /** The records that follow a key. */
  | { ask: 'page', after: string }
)

export interface TaskResult {
  id: number
  result?: unknown
  failure?: { message: string, code: string | undefined }
}

/** A page of records; `last` is the last key that was read, undefined at the end. */
interface Page { records: [key: string, record: StateRecord][], last: string | undefined }

/** A task before it has an id. */
type NewTask<T> = T extends TaskBase ? Omit<T, keyof TaskBase> : never

interface Waiting { resolve (result: unknown): void, reject (error: Error): void }

export interface SqliteOptions {
  /** Milliseconds that a call may take: the thread drops tasks that had to wait longer. */
  timeout: number
  sweepEvery?: number
}

/**
 * Records in a file on this machine, by SQLite in a thread of its own. Several processes may share it, as they do
 * during a restart, also in different containers. The first call starts the thread, which does not keep the process
 * alive; calls under way do.
 */
export function sqlite (directory: string, options: SqliteOptions): State {
  const { ask, close } = thread(directory, options)

  return {
    get: (key) => ask({ ask: 'get', key }),
    swap: (key, expected, value, ttl) => ask({ ask: 'swap', key, expected, version: newVersion(), value, ttl }),
    remove: (key, expected) => ask({ ask: 'remove', key, expected }),
    async * all () {
      for (let after: string | undefined = ''; after !== undefined;) {
        const { records, last }: Page = await ask({ ask: 'page', after })
        yield * records
        after = last
      }
    },
    close
  }
}

/** The thread with the file: it is started by the first task, and again by the next one after it ended. */
function thread (directory: string, { timeout, sweepEvery = SWEEP }: SqliteOptions) {
  const waiting = new Map<number, Waiting>()
  let worker: Worker | undefined
  let ended: Promise<void> | undefined
  let count = 0
  let closed = false

  function start (): Worker {
    const settings: Settings = { directory, file: FILE, sweepEvery }
    const started = new Worker(require.resolve('#sqlite-worker'), {
      name: 'state',
      workerData: settings,
      // Without the process's loaders, which would take seconds to start.
      execArgv: [],
      resourceLimits: { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 128 }
    })
    started.unref()
    started.on('message', (results: TaskResult[]) => results.forEach(settle))
    let cause: Error | undefined
    started.on('error', (error) => { cause = error })
    ended = new Promise((resolve) => {
      started.on('exit', () => {
        if (worker === started) worker = undefined
        for (const id of waiting.keys()) {
          settle({ id, failure: { message: cause?.message ?? 'its thread ended', code: undefined } })
        }
        resolve()
      })
    })
    return started
  }

  function settle ({ id, result, failure }: TaskResult) {
    const call = waiting.get(id)
    waiting.delete(id)
    if (waiting.size === 0 && !closed) worker?.unref()
    if (failure) call?.reject(Object.assign(new Error(failure.message), { code: failure.code }))
    else call?.resolve(result)
  }

  return {
    ask<T> (task: NewTask<Task>): Promise<T> {
      if (closed) return Promise.reject(new Error('it was closed'))
      worker ??= start()
      const id = count++
      const { promise, ...call } = deferred<T>()
      if (waiting.size === 0) worker.ref()
      waiting.set(id, call as Waiting)
      worker.postMessage({ id, by: Date.now() + timeout, ...task })
      return promise
    },
    async close () {
      closed = true
      worker?.ref()
      worker?.postMessage('close')
      await ended
    }
  }
}

/** Promise.withResolvers, which Node 20 lacks. */
function deferred<T> () {
  let resolve!: (result: T) => void
  let reject!: (error: Error) => void
  const promise = new Promise<T>((_resolve, _reject) => {
    resolve = _resolve
    reject = _reject
  })
  return { promise, resolve, reject }
}
