import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync, closeSync, existsSync, ftruncateSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync
} from 'node:fs'
import { join } from 'node:path'
import Database from 'libsql'
import t, { type Test } from 'tap'
import { openState } from '../services/state/index.js'
import { sqlite } from '../services/state/sqlite.js'
import { everything, failure, HOUR } from './state-contract.js'
import { handle, HUSH, missing, start, watched } from './state-handles.js'
import { testDirectory } from './test-directory.js'
import { until } from './until.js'

const PRLIMIT = '/usr/bin/prlimit'
const noLimit = existsSync(PRLIMIT) ? false : `${PRLIMIT} is missing`

/** What puts a command in a PID namespace of its own, as each container has; undefined where that is not permitted. */
const apart = [['unshare', '-pf', '--kill-child'], ['unshare', '-Urpf', '--kill-child']]
  .find(([command = '', ...words]) => spawnSync(command, [...words, 'true']).status === 0)

t.test('a state directory', async (t) => {
  /** A directory with a state of some pages in it, closed. */
  async function written (t: Test) {
    const directory = join(testDirectory(t), 'state')
    const state = openState({ directory })
    await Promise.all(Array.from({ length: 500 }, (_, i) => state.swap(`k${i}`, undefined, 'x'.repeat(300), HOUR)))
    await state.close()
    return { settings: { directory }, file: join(directory, 'state.sqlite') }
  }

  await t.test('is created when first needed, for this user alone', async (t) => {
    const directory = join(testDirectory(t), 'deep', 'state')
    const state = handle(t, { directory })
    t.notOk(existsSync(directory))
    await state.swap('a', undefined, 'x', HOUR)
    const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8)
    t.equal(modeOf(directory), '700')
    for (const file of readdirSync(directory)) t.equal(modeOf(join(directory, file)), '600', file)
  })

  await t.test('that cannot be written fails each call, until it can', async (t) => {
    const parent = join(testDirectory(t, { parent: 'a file' }), 'parent')
    const { state, changes } = watched(t, { directory: join(parent, 'state') })
    const calls = [
      () => state.get('a'), () => state.swap('a', undefined, HUSH, HOUR), () => state.remove('a', 1),
      () => everything(state)
    ]
    for (const call of calls) {
      const error = await failure(t, call())
      t.match(error, { message: /^The state directory .*parent\/state cannot be used: ENOTDIR.* Make sure/ })
      t.match(error.cause, { code: 'ENOTDIR' })
    }
    rmSync(parent)
    for (const call of calls) await call()
    await state.swap('a', undefined, HUSH, HOUR)
    await until(() => changes.length > 1)
    t.match(changes, [/ENOTDIR/, 'up'])
    t.equal(changes.length, 2, 'one word for each change')
  })

  await t.test('may be shared by processes of two containers, and one be killed', {
    skip: apart ? false : 'PID namespaces are not permitted here'
  }, async (t) => {
    const settings = { directory: join(testDirectory(t), 'state') }
    const [one, two] = ['one-', 'two-'].map((prefix) => start(t, settings, 'write', prefix, { under: apart ?? [] })) as
      [ReturnType<typeof start>, ReturnType<typeof start>]
    await Promise.all([one.ready, two.ready])
    one.go()
    two.go()
    await until(() => one.keys().length > 20 && two.keys().length > 20)
    one.kill()
    await one.ended
    const written = two.keys().length
    await until(() => two.keys().length > written + 20)
    two.kill()
    await two.ended
    t.strictSame(two.said('failed'), [])
    t.strictSame(await missing(handle(t, settings), [...one.keys(), ...two.keys()]), [])
  })

  await t.test('that a stopped process has locked fails calls, and holds up nothing else', async (t) => {
    const { settings } = await written(t)
    const holder = start(t, settings, 'hold')
    await holder.ready
    holder.go()
    await until(() => holder.keys().length > 0)
    holder.kill('SIGSTOP')
    const { state, changes } = watched(t, settings)
    let turned = false
    setImmediate(() => { turned = true })
    const error = await failure(t, state.swap('a', undefined, 'x', HOUR))
    t.ok(turned, 'the event loop goes on')
    t.match(error.message, /cannot be used: .*(locked|no answer)/)
    t.ok(await state.get('k1'), 'what is there can be read')
    holder.kill()
    await holder.ended
    await until(() => state.swap('a', undefined, 'x', HOUR).then(Boolean))
    await until(() => changes.length > 1)
    t.match(changes, [/locked|no answer/, 'up'])
    t.equal(changes.length, 2)
  })

  const damages: Record<string, (file: string) => void> = {
    'is garbage': (file) => writeFileSync(file, 'garbage '.repeat(10_000)),
    'was truncated': (file) => {
      const descriptor = openSync(file, 'r+')
      ftruncateSync(descriptor, 20_000)
      closeSync(descriptor)
    },
    'has garbage after its first page': (file) => {
      const bytes = readFileSync(file)
      writeFileSync(file, bytes.fill('garbage ', 4096))
    }
  }
  for (const [damage, spoil] of Object.entries(damages)) {
    await t.test(`whose file ${damage} fails each call and says why, until the file is moved away`, async (t) => {
      const { settings, file } = await written(t)
      spoil(file)
      const { state, changes } = watched(t, settings)
      for (let i = 0; i < 3; i++) {
        const error = await failure(t, everything(state))
        t.match(error.message, /cannot be used: .* It is damaged: .* move its files away/)
      }
      for (const name of readdirSync(settings.directory)) rmSync(join(settings.directory, name))
      await until(() => state.swap('a', undefined, 'x', HOUR).then(Boolean, () => false))
      await until(() => changes.length > 1)
      t.match(changes, [/damaged/, 'up'])
      t.equal(changes.length, 2)
    })
  }

  await t.test('whose file is of a later version is left alone', async (t) => {
    const { settings, file } = await written(t)
    const database = new Database(file)
    database.exec('PRAGMA user_version = 7')
    database.close()
    const error = await failure(t, handle(t, settings).swap('a', undefined, 'x', HOUR))
    t.match(error.message, /format 7, and this version of spot-api knows format 1. Use the version that wrote it/)
  })

  await t.test('on a full disk can be read, and writes fail; the log says so once', { skip: noLimit }, async (t) => {
    const settings = { directory: join(testDirectory(t), 'state') }
    const writer = start(t, settings, 'write', 'k')
    /** How large a file of the writer may grow, in bytes: as good as a full disk. */
    const limit = (bytes: string) => execFileSync(PRLIMIT, [`--fsize=${bytes}:unlimited`, '--pid', String(writer.pid)])
    await writer.ready
    limit('100000')
    writer.go()
    await until(() => writer.said('failed').length > 10 && writer.said('read').length > 10)
    t.match(writer.said('failed')[0], /^StateError: The state directory .* cannot be used: .*(I.O error|full)/)
    t.strictSame(await missing(handle(t, settings), writer.keys()), [])
    t.match(writer.said('down'), [/Make sure that this user may write there, and that the disk has room/])
    t.equal(writer.said('down').length, 1, 'however often it was read meanwhile')
    t.strictSame(writer.said('up'), [])

    const kept = writer.keys().length
    t.ok(kept > 0)
    limit('unlimited')
    await until(() => writer.keys().length > kept + 10 && writer.said('up').length > 0)
    t.equal(writer.said('up').length, 1)
  })

  await t.test('that is read-only can be read, and writes fail; the log says so once', async (t) => {
    const { settings, file } = await written(t)
    chmodSync(file, 0o444)
    chmodSync(`${file}-journal`, 0o444)
    chmodSync(settings.directory, 0o555)
    // To root nothing is read-only.
    const nobody = process.getuid?.() === 0 ? 65534 : undefined
    const writer = start(t, settings, 'write', 'k', { uid: nobody })
    await writer.ready
    writer.go()
    await until(() => writer.said('failed').length > 5 && writer.said('read').length > 5)
    t.strictSame(writer.keys(), [])
    t.equal(writer.said('down').length, 1)
    t.match(writer.said('down'), [/Make sure that this user may write there/])
    chmodSync(settings.directory, 0o755)
  })

  await t.test('is swept: what has expired takes no room', async (t) => {
    const directory = join(testDirectory(t), 'state')
    const state = sqlite(directory, { timeout: HOUR, sweepEvery: 20 })
    t.teardown(() => state.close())
    await Promise.all(Array.from({ length: 1100 }, (_, i) =>
      state.swap(`k${i}`, undefined, 'x', i % 100 === 0 ? HOUR : 1)))
    // In another thread of this process, as it may be: SQLite shares its locks among them.
    const database = new Database(join(directory, 'state.sqlite'))
    t.teardown(() => database.close())
    database.exec('PRAGMA busy_timeout = 60000')
    const count = database.prepare('SELECT count(*) AS rows FROM records')
    await until(() => (count.all() as { rows: number }[])[0]?.rows === 11)
    t.equal(Object.keys(await everything(state)).length, 11)
  })

  await t.test('does not keep the process alive, unless something is under way', async (t) => {
    const directory = join(testDirectory(t), 'state')
    const open = `
      import { openState } from ${JSON.stringify(join(import.meta.dirname, '../dist/services/state/index.js'))}
      const state = openState({ directory: ${JSON.stringify(directory)} })
      console.log(await state.swap('a', undefined, 'x', 1000) > 0)
      state.swap('b', undefined, 'x', ${HOUR}).then(() => console.log('kept'))`
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', open], { encoding: 'utf8' })
    t.equal(output, 'true\nkept\n')
    t.ok(await handle(t, { directory }).get('b'))
  })
})
