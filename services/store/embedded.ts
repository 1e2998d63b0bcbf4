import { mkdir } from 'node:fs/promises'
import type { Database, RootDatabaseOptions } from 'lmdb'
import type { Store, Stored } from './store.js'
import { newVersion } from './version.js'

/** What LMDB keeps under a key, with the version beside it. */
type Row = [end: number, value: string]
type Rows = Database<Row, string>

/** Records that are read in one go, by `all` and by the sweeper: some milliseconds. */
const PAGE = 1000

/** Milliseconds between two pages of sweeping. */
const SWEEP = 10_000

/**
 * Records in a directory of this machine, by LMDB. Several processes may share it, as they do while one takes over from
 * another. Opened by the first call, and by the next one where that failed.
 */
export function embedded (directory: string, { sweepEvery = SWEEP } = {}): Store {
  let opening: Promise<Rows> | undefined
  let sweeping: NodeJS.Timeout | undefined
  let closed = false

  const open = () => {
    if (closed) throw new Error('it was closed')
    opening ??= openRows(directory).then((rows) => {
      sweeping = sweepNowAndThen(rows, sweepEvery)
      return rows
    }, (error) => {
      opening = undefined
      throw error
    })
    return opening
  }

  return {
    async get (key) {
      return alive(read(await open(), key))
    },
    async swap (key, expected, value, ttl) {
      const rows = await open()
      const found = read(rows, key)
      if (alive(found)?.version !== expected) return undefined
      const version = newVersion()
      // An expired record is as good as none, yet it is there: of all who would follow it, only one can.
      const done = await commit(rows.put(key, [Date.now() + ttl, value], version, found?.version ?? NONE))
      return done ? version : undefined
    },
    async remove (key, expected) {
      const rows = await open()
      return alive(read(rows, key))?.version === expected && commit(rows.remove(key, expected))
    },
    async * all () {
      const rows = await open()
      for (let page = pageOf(rows); page.length > 0; page = pageOf(rows, page.at(-1)?.key)) {
        for (const { key, ...entry } of page) {
          const record = alive(entry)
          if (record) yield [key, record]
        }
      }
    },
    async close () {
      closed = true
      await opening?.then((rows) => {
        clearInterval(sweeping)
        return rows.close()
      }, () => {})
    }
  }
}

/** Tells `put` that nothing may be there. */
const NONE = null as unknown as undefined

interface Entry { value: Row, version?: number }

/**
 * What is in the file now: by itself LMDB shows for the rest of a turn of the event loop what was there when it was
 * first asked, so what other processes did since would be missed.
 */
function read (rows: Rows, key: string): Entry | undefined {
  rows.resetReadTxn()
  return rows.getEntry(key)
}

function alive (entry: Entry | undefined): Stored | undefined {
  if (entry?.version === undefined) return undefined
  const { value: [end, value], version } = entry
  return end > Date.now() ? { value, version } : undefined
}

/** The records that follow a key. Read in one go: a cursor kept open would keep LMDB from using freed space again. */
function pageOf (rows: Rows, after?: string) {
  rows.resetReadTxn()
  const range = { ...after !== undefined && { start: after, exclusiveStart: true }, limit: PAGE, versions: true }
  return [...rows.getRange(range)]
}

/** With what LMDB takes besides what its types know. */
const options: RootDatabaseOptions & { eventTurnBatching: boolean, permissionsMode: number } = {
  // or a dot in the name of the directory would make it a file
  noSubdir: false,
  permissionsMode: 0o600,
  encoding: 'json',
  useVersions: true,
  // By default a write resolves when others see it, and reaches the disk later.
  overlappingSync: false,
  // With it a commit that fails rejects a promise that nobody can take, which ends the process.
  eventTurnBatching: false
}

async function openRows (directory: string): Promise<Rows> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const { open } = await import('lmdb')
  return open<Row, string>(directory, options)
}

/** The result of a write; its error where it failed, which LMDB hands out in a promise that must be taken. */
async function commit (write: Promise<boolean>): Promise<boolean> {
  try {
    return await write
  } catch (error) {
    throw await (error as { commitError?: Promise<never> }).commitError?.catch((cause) => cause) ?? error
  }
}

/** Takes out expired records, a page at a time, and then begins anew. */
function sweepNowAndThen (rows: Rows, every: number): NodeJS.Timeout {
  let last: string | undefined
  const sweep = async () => {
    const page = pageOf(rows, last)
    last = page.length < PAGE ? undefined : page.at(-1)?.key
    const expired = page.filter((entry) => !alive(entry))
    await Promise.all(expired.map(({ key, version }) => commit(rows.remove(key, version as number))))
  }
  // What fails now is done another time; whoever needs the store hears of it.
  return setInterval(() => { sweep().catch(() => {}) }, every).unref()
}
