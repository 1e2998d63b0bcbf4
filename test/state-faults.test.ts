import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync, closeSync, existsSync, ftruncateSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync
} from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import Database from 'libsql'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { document } from '../openapi/document.js'
import { forget, sandboxConfiguration } from '../services/process/sandbox-mode.js'
import { openState, StateError, type State } from '../services/state/index.js'
import { sqlite } from '../services/state/sqlite.js'
import { startGateway } from './helper.js'
import { noRedis, noTls, startRedis } from './redis.js'
import { everything, failure, HOUR } from './state-contract.js'
import { handle, HUSH, missing, start, watched } from './state-handles.js'
import { testDirectory } from './test-directory.js'
import { until } from './until.js'

const { examples } = document.components as unknown as { examples: Record<string, { value: object }> }

const PRLIMIT = '/usr/bin/prlimit'
const noLimit = existsSync(PRLIMIT) ? false : `${PRLIMIT} is missing`

/** What puts a command in a PID namespace of its own, as each container has; undefined where that is not permitted. */
const apart = [['unshare', '-pf', '--kill-child'], ['unshare', '-Urpf', '--kill-child']]
  .find(([command = '', ...words]) => spawnSync(command, [...words, 'true']).status === 0)

t.test('a directory', async (t) => {
  /** A directory with a state of some pages in it, closed. */
  async function written (t: Test) {
    const directory = join(testDirectory(t), 'state')
    const state = openState({ directory })
    await Promise.all(Array.from({ length: 500 }, (_, i) => state.swap(`k${i}`, undefined, 'x'.repeat(300), HOUR)))
    await state.close()
    return { settings: { directory }, file: join(directory, 'state.sqlite') }
  }

  await t.test('is made when it is first needed, for this user alone', async (t) => {
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
    await t.test(`whose file ${damage} fails calls with a word, until it is moved away`, async (t) => {
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

  await t.test('on a full disk fails what is written, with one word, and is read', { skip: noLimit }, async (t) => {
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

  await t.test('that is read-only is read, and fails what is written with one word', async (t) => {
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
    const state = sqlite(directory, { patience: HOUR, sweepEvery: 20 })
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
    const { NODE_OPTIONS, ...env } = process.env
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', open], { encoding: 'utf8', env })
    t.equal(output, 'true\nkept\n')
    t.ok(await handle(t, { directory }).get('b'))
  })
})

t.test('a Redis', { skip: noRedis }, async (t) => {
  async function fails (t: Test, call: Promise<unknown>) {
    const error = await failure(t, call)
    t.match(error.message, /^The Redis at 127\.0\.0\.1:\d+ cannot be used: .* Make sure that/)
    t.notMatch(inspect(error, { depth: 10, showHidden: true }), HUSH)
    return error
  }

  /** Until a write succeeds again: the connection is made anew now and then. */
  const recovers = (state: State) =>
    until(() => state.swap(`r${Math.random()}`, undefined, 'x', HOUR).then(Boolean, () => false))

  await t.test('that is stopped fails each call; when it is back, all is well', async (t) => {
    const server = await startRedis(t, { password: HUSH })
    const { state, changes } = watched(t, { redis: server.url })
    await state.swap('a', undefined, HUSH, HOUR)
    await server.stop()
    await fails(t, state.get('a'))
    await fails(t, state.swap('a', undefined, HUSH, HOUR))
    await fails(t, state.remove('a', 1))
    await fails(t, everything(state))
    await server.start()
    await recovers(state)
    await until(() => changes.length > 1)
    t.match(changes, [/cannot be used/, 'up'])
    t.equal(changes.length, 2, 'one word for each change')
  })

  await t.test('that is stopped in the middle of many calls leaves none of them hanging', async (t) => {
    const server = await startRedis(t)
    const state = handle(t, { redis: server.url })
    await state.get('a')
    server.freeze()
    const calls = Array.from({ length: 50 }, (_, i) => state.swap(`k${i}`, undefined, 'x', HOUR))
    const outcomes = Promise.all(calls.map((call) => fails(t, call)))
    await server.stop()
    await outcomes
  })

  await t.test('that is not there at the start is used when it is, though nobody asks', async (t) => {
    const server = await startRedis(t)
    await server.stop()
    const { state, changes } = watched(t, { redis: server.url })
    t.match(await fails(t, state.swap('a', undefined, 'x', HOUR)), { message: /ECONNREFUSED/ })
    await server.start()
    await until(() => changes.length === 2)
    t.match(changes, [/ECONNREFUSED/, 'up'])
    t.equal(state.failure, undefined)
  })

  await t.test('that is silent fails each call, and is used when it speaks again', async (t) => {
    const server = await startRedis(t)
    const state = handle(t, { redis: server.url })
    await state.get('a')
    server.freeze()
    await Promise.all([fails(t, state.get('a')), fails(t, state.swap('a', undefined, 'x', HOUR))])
    server.thaw()
    await recovers(state)
  })

  await t.test('that is read-only is down, with one word, until it can be written', async (t) => {
    const server = await startRedis(t)
    const { state, changes } = watched(t, { redis: server.url })
    const version = await state.swap('a', undefined, 'x', HOUR)
    const client = new Redis(server.url)
    t.teardown(() => client.disconnect())
    for (const [name, begin, end] of [
      ['a replica', ['REPLICAOF', '127.0.0.1', '1'], ['REPLICAOF', 'NO', 'ONE']],
      ['one without replicas', ['CONFIG', 'SET', 'min-replicas-to-write', '1'],
        ['CONFIG', 'SET', 'min-replicas-to-write', '0']]
    ] as [string, string[], string[]][]) {
      changes.length = 0
      const [command = '', ...words] = begin
      await client.call(command, ...words)
      for (let i = 0; i < 10; i++) {
        await fails(t, state.swap('b', undefined, 'x', HOUR))
        await until(() => state.get('a').then((record) => record?.version === version, () => false))
        t.equal(await state.swap('a', 5, 'x', HOUR).catch(() => undefined), undefined, 'and this writes nothing')
      }
      t.match(changes, [/READONLY|NOREPLICAS|NOT ENOUGH/i], name)
      t.equal(changes.length, 1, name)
      const [ending = '', ...rest] = end
      await client.call(ending, ...rest)
      await recovers(state)
      await until(() => changes.length > 1)
      t.strictSame(changes.slice(1), ['up'], name)
    }
  })

  await t.test('with another password: the error says so, without either', async (t) => {
    const server = await startRedis(t, { password: `${HUSH}-right` })
    t.match(await fails(t, handle(t, { redis: server.url.replace('right', 'wrong') }).get('a')), { message: /WRONGPASS/ })
    t.match(await fails(t, handle(t, { redis: server.url.replace(/:[^:]*@/, '') }).get('a')), { message: /NOAUTH/ })
  })

  await t.test('with a user of its own, who may do what it takes and no more', async (t) => {
    const page = readFileSync(join(import.meta.dirname, '../docs/reliability.md'), 'utf8')
    const [, rights = ''] = /^- A user of its own needs `(.*)`/m.exec(page) ?? []
    const server = await startRedis(t, { password: 'other', user: `spot on >${HUSH} ${rights}` })
    const { state, changes } = watched(t, { redis: server.url.replace(':other@', `spot:${HUSH}@`) })
    const version = await state.swap('a', undefined, 'x', HOUR) as number
    t.match(await everything(state), { a: { version } })
    t.ok(await state.get('a'))
    t.ok(await state.remove('a', version))
    t.strictSame(changes, [])
  })

  await t.test('can be shared with others: every key has a prefix, and nothing else is touched', async (t) => {
    const server = await startRedis(t)
    const client = new Redis(server.url)
    t.teardown(() => client.disconnect())
    // The last is what an earlier version kept there, and must not be taken for a record of ours, nor ours for its.
    const others = { a: 'of others', 'other:a': 'of others', 'spot-ap': 'of others', 'spot-api:state:a': '5 earlier' }
    await client.mset(others)
    const state = handle(t, { redis: server.url })
    t.equal(await state.get('a'), undefined)
    const version = await state.swap('a', undefined, 'ours', HOUR)
    t.match(await everything(state), { a: { value: 'ours', version } })
    t.strictSame((await client.keys('*')).sort(), [...Object.keys(others), 'spot-api:state-2:a'].sort())
    t.strictSame(await client.keys('spot-api:state:*'), ['spot-api:state:a'])
    t.ok(await client.pttl('spot-api:state-2:a') > HOUR / 2)
  })

  await t.test('over TLS: only with a certificate that somebody vouches for', { skip: noTls }, async (t) => {
    const { url, certificate } = await startRedis(t, { tls: true })
    t.match(await fails(t, handle(t, { redis: url }).get('a')), { message: /self-signed certificate/ })
    const environment = { NODE_EXTRA_CA_CERTS: certificate }
    const child = start(t, { redis: url }, 'claim', 'k', { environment })
    await child.ready
    child.go()
    await child.ended
    t.equal(child.keys().length, 40)
  })
})

t.test('the gateway', async (t) => {
  const stateOf = async ({ request }: Awaited<ReturnType<typeof startGateway>>) => {
    const { status, json } = await request('GET', '/v1/spot/ready', { token: null })
    const { text } = await request('GET', '/v1/spot/metrics', { token: null })
    return { status, json, up: /^spot_api_state_up (.*)$/m.exec(text)?.[1] }
  }
  const linesOf = (log: string[]) => log.map((line) => JSON.parse(line)).filter(({ msg }) => /state|cannot be used/i.test(msg))

  await t.test('says that its state is down, and goes on; says so once more when it is back', async (t) => {
    const parent = join(testDirectory(t, { parent: 'a file' }), 'parent')
    const gateway = await startGateway(t, { configuration: { state: { directory: join(parent, 'state') } } })
    const { app, log } = gateway
    await until(() => app.state.failure !== undefined)
    t.strictSame(await stateOf(gateway), { status: 200, json: { ready: true, state: 'down' }, up: '0' })
    await t.rejects(app.state.get('a'), StateError)
    await t.rejects(app.state.get('a'), StateError)
    for (const key of ['a', 'b']) {
      const { status, json } = await gateway.request('POST', '/v1/spot/demo/elastigroups', {
        body: examples.ElastigroupCreate?.value, headers: { 'idempotency-key': key }
      })
      t.match({ status, json }, { status: 503, json: { type: /:state-unavailable$/ } })
    }
    t.match(linesOf(log), [{ level: 50, msg: /^The state directory .* cannot be used: ENOTDIR/ }])
    t.equal(log.filter((line) => JSON.parse(line).level >= 40 && !/"status":503/.test(line)).length, 1)
    rmSync(parent)
    await app.state.swap('a', undefined, 'x', HOUR)
    await until(() => app.state.failure === undefined)
    t.strictSame(await stateOf(gateway), { status: 200, json: { ready: true, state: 'up' }, up: '1' })
    t.match(linesOf(log).slice(1), [{ level: 30, msg: /again/ }])
    t.equal(linesOf(log).length, 2)
  })

  await t.test('says soon after its start that the password of Redis is wrong', { skip: noRedis }, async (t) => {
    const { url } = await startRedis(t, { password: 'right' })
    const gateway = await startGateway(t, { configuration: { state: { redis: url.replace('right', 'wrong') } } })
    await until(async () => (await stateOf(gateway)).json.state === 'down')
    t.match(await stateOf(gateway), { status: 200, up: '0' })
    await until(() => linesOf(gateway.log).some(({ level }) => level === 50))
  })

  await t.test('names what an earlier version left, and leaves it alone', async (t) => {
    const directory = join(testDirectory(t, { state: { 'data.mdb': 'of LMDB' } }), 'state')
    const { log } = await startGateway(t, { configuration: { state: { directory } } })
    t.match(linesOf(log), [{ level: 40, msg: /state\/data\.mdb is the state of an earlier version/ }])
    t.equal(readFileSync(join(directory, 'data.mdb'), 'utf8'), 'of LMDB')
  })

  await t.test('closes its state with itself, and says nothing of it', async (t) => {
    const { app, log } = await startGateway(t, {})
    await app.state.swap('a', undefined, 'x', HOUR)
    await app.close()
    await t.rejects(app.state.get('a'), /closed/)
    t.strictSame(linesOf(log), [])
  })

  await t.test('on the sandbox has a new directory each time, and leaves none', async (t) => {
    const sandbox = { url: 'http://127.0.0.1:1', accounts: [{ id: 'a', token: 'b' }] }
    const configuration = sandboxConfiguration(sandbox, 'a-key-for-tests-only')
    t.notSame(sandboxConfiguration(sandbox, 'a-key-for-tests-only').state, configuration.state)
    await forget(configuration)
    const state = openState(configuration.state)
    await state.swap('a', undefined, 'x', HOUR)
    await state.close()
    const { directory } = configuration.state as { directory: string }
    t.ok(existsSync(directory))
    await forget(configuration)
    t.notOk(existsSync(directory))
  })
})
