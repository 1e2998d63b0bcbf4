import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { Redis } from 'ioredis'
import { open } from 'lmdb'
import t, { type Test } from 'tap'
import { forget, sandboxConfiguration } from '../services/sandbox-mode.js'
import { embedded } from '../services/store/embedded.js'
import { openStore, StoreError, type Store, type StoreSettings, type Stored } from '../services/store/index.js'
import { startGateway } from './helper.js'
import { noRedis, noTls, startRedis } from './redis.js'

const HOUR = 3_600_000

/** Stands in passwords and values; no error may show it. */
const HUSH = 'hush-hush'

/** A place for records: fresh for each test. */
interface Place {
  name: string
  skip: string | false
  settings (t: Test): Promise<StoreSettings>
}

const places: Place[] = [
  { name: 'a directory', skip: false, settings: async (t) => ({ directory: join(t.testdir({}), 'some', 'state.d') }) },
  { name: 'a Redis', skip: noRedis, settings: async (t) => ({ redis: (await startRedis(t, { password: HUSH })).url }) }
]

/** One more handle on a store, closed when the test ends. */
function handle (t: Test, settings: StoreSettings): Store {
  const store = openStore(settings)
  t.teardown(() => store.close())
  return store
}

async function everything (store: Store): Promise<Record<string, Stored>> {
  const records: Record<string, Stored> = {}
  for await (const [key, record] of store.all()) records[key] = record
  return records
}

/** The error of a call that must fail. */
async function failure (t: Test, call: Promise<unknown>): Promise<StoreError> {
  const error = await call.then(() => undefined, (error) => error)
  t.type(error, StoreError)
  return error
}

/** Waits until something holds, for as long as a slow machine may need. */
async function until (holds: () => boolean) {
  for (const end = performance.now() + 30_000; !holds() && performance.now() < end;) await sleep(20)
}

/** A process that does a task of store-process.ts. */
function start (t: Test, settings: StoreSettings, task: 'claim' | 'write', prefix: string, environment = {}) {
  const child = spawn('node', [
    '--import', 'tsx', join(import.meta.dirname, 'store-process.ts'), JSON.stringify(settings), task, prefix
  ], { env: { ...process.env, ...environment } })
  t.teardown(() => child.kill('SIGKILL'))
  child.stderr.pipe(process.stderr)
  const output = createInterface(child.stdout)
  const ready = once(output, 'line')
  const ended = once(output, 'close')
  const lines: string[] = []
  const failures: string[] = []
  ready.then(() => output.on('line', (line) => (line.startsWith('!') ? failures : lines).push(line)))
  return {
    pid: child.pid,
    lines,
    failures,
    ready,
    ended,
    go: () => child.stdin.write('go\n'),
    kill: () => child.kill('SIGKILL')
  }
}

const PRLIMIT = '/usr/bin/prlimit'
const noLimit = existsSync(PRLIMIT) ? false : `${PRLIMIT} is missing`

type Behaviour = (t: Test, settings: StoreSettings) => Promise<void>

const behaviours: Record<string, Behaviour> = {
  async 'a record is read as it was put, with its version' (t, settings) {
    const store = handle(t, settings)
    t.equal(await store.get('a'), undefined)
    const values = ['', 'plain', 'two words, 1 2', 'ünïcödé 🚀\u0000\n"\\', 'x'.repeat(1_000_000)]
    for (const [i, value] of values.entries()) {
      const key = `key ${i} ü:/`
      const version = await store.swap(key, undefined, value, HOUR)
      t.type(version, 'number')
      t.strictSame(await store.get(key), { value, version })
    }
  },

  async 'of 50 claims at once one succeeds, through whatever handle' (t, settings) {
    const stores = [handle(t, settings), handle(t, settings)]
    for (const key of ['a', 'b', 'c']) {
      const claims = await Promise.all(Array.from({ length: 50 }, async (_, i) => {
        const version = await stores[i % 2]?.swap(key, undefined, `claim ${i}`, HOUR)
        return version === undefined ? [] : [{ value: `claim ${i}`, version }]
      }))
      const [winner, ...others] = claims.flat()
      t.strictSame(others, [])
      t.strictSame(await stores[0]?.get(key), winner)
      t.strictSame(await stores[1]?.get(key), winner)
    }
  },

  async 'of two processes that claim the same keys each key has one owner' (t, settings) {
    const processes = [start(t, settings, 'claim', 'k'), start(t, settings, 'claim', 'k')]
    await Promise.all(processes.map(({ ready }) => ready))
    for (const { go } of processes) go()
    await Promise.all(processes.map(({ ended }) => ended))
    const claimed = processes.flatMap(({ lines }) => lines)
    t.strictSame(claimed.sort(), Array.from({ length: 100 }, (_, i) => `k${i}`).sort())
    t.equal(Object.keys(await everything(handle(t, settings))).length, 100)
  },

  async 'a swap needs the version that is there, a removal too' (t, settings) {
    const store = handle(t, settings)
    const first = await store.swap('a', undefined, 'first', HOUR) as number
    const second = await store.swap('a', first, 'second', HOUR) as number
    t.equal(await store.swap('a', first, 'late', HOUR), undefined)
    t.equal(await store.swap('a', undefined, 'late', HOUR), undefined)
    t.equal(await store.swap('b', first, 'never claimed', HOUR), undefined)
    t.equal(await store.remove('a', first), false)
    t.equal(await store.remove('b', first), false)
    t.strictSame(await store.get('a'), { value: 'second', version: second })
    t.equal(await store.get('b'), undefined)
  },

  async 'of 50 swaps of the same version one succeeds' (t, settings) {
    const store = handle(t, settings)
    const version = await store.swap('a', undefined, 'first', HOUR)
    const swaps = await Promise.all(Array.from({ length: 50 }, (_, i) => store.swap('a', version, `${i}`, HOUR)))
    t.equal(swaps.filter(Boolean).length, 1)
    t.equal((await store.get('a'))?.value, String(swaps.findIndex(Boolean)))
  },

  async 'what is removed can be claimed again, and who held it before holds it no more' (t, settings) {
    const store = handle(t, settings)
    const first = await store.swap('a', undefined, 'first', HOUR) as number
    t.equal(await store.remove('a', first), true)
    t.equal(await store.get('a'), undefined)
    t.equal(await store.remove('a', first), false)
    t.ok(await store.swap('a', undefined, 'second', HOUR))
    t.equal(await store.swap('a', first, 'late', HOUR), undefined)
    t.equal((await store.get('a'))?.value, 'second')
  },

  async 'a record expires: it is not read, swapped, removed or listed, and one of 50 can claim it' (t, settings) {
    const store = handle(t, settings)
    const brief = await store.swap('a', undefined, 'brief', 300) as number
    t.equal((await store.get('a'))?.value, 'brief')
    await sleep(350)
    t.equal(await store.get('a'), undefined)
    t.equal(await store.swap('a', brief, 'late', HOUR), undefined)
    t.equal(await store.remove('a', brief), false)
    t.strictSame(await everything(store), {})
    const claims = await Promise.all(Array.from({ length: 50 }, (_, i) => store.swap('a', undefined, `${i}`, HOUR)))
    t.equal(claims.filter(Boolean).length, 1)
  },

  async 'a swap gives a record a new time to live' (t, settings) {
    const store = handle(t, settings)
    const brief = await store.swap('a', undefined, 'brief', 300)
    await store.swap('a', brief, 'long', HOUR)
    const long = await store.swap('b', undefined, 'long', HOUR)
    await store.swap('b', long, 'brief', 300)
    await sleep(350)
    t.equal((await store.get('a'))?.value, 'long')
    t.equal(await store.get('b'), undefined)
  },

  async 'all records are listed, however many' (t, settings) {
    const store = handle(t, settings)
    const keys = Array.from({ length: 2500 }, (_, i) => `k${i}`)
    const versions = await Promise.all(keys.map((key) => store.swap(key, undefined, `value of ${key}`, HOUR)))
    t.strictSame(await everything(store), Object.fromEntries(keys.map((key, i) =>
      [key, { value: `value of ${key}`, version: versions[i] }])))
  },

  async 'what was put is there after the store was closed and opened again' (t, settings) {
    const first = openStore(settings)
    const version = await first.swap('a', undefined, 'kept', HOUR)
    await first.close()
    t.match(await failure(t, first.get('a')), { message: /closed/ })
    t.strictSame(await handle(t, settings).get('a'), { value: 'kept', version })
  },

  async 'every record that was said to be kept is there after kill -9, and another process goes on' (t, settings) {
    const writers = Array.from({ length: 10 }, (_, i) => start(t, settings, 'write', `${i}-`))
    await Promise.all(writers.map(({ ready }) => ready))
    const [survivor, ...others] = writers as [typeof writers[0], ...typeof writers]
    survivor.go()
    for (const { lines, go, kill, ended } of others) {
      go()
      await until(() => lines.length > 0)
      await sleep(Math.random() * 150)
      kill()
      await ended
    }
    const written = survivor.lines.length
    await until(() => survivor.lines.length > written)
    t.ok(survivor.lines.length > written)
    survivor.kill()
    await survivor.ended
    const records = await everything(handle(t, settings))
    for (const { lines } of writers) t.strictSame(lines.filter((key) => records[key]?.value !== `value of ${key}`), [])
    t.comment(`${writers.flatMap(({ lines }) => lines).length} records were acknowledged before 10 kills`)
  },

  async 'two handles agree with one map, whatever they do in turn' (t, settings) {
    const stores = [handle(t, settings), handle(t, settings)]
    const step = fc.record({
      by: fc.nat(1),
      key: fc.constantFrom('a', 'b', 'c'),
      act: fc.constantFrom('get', 'claim', 'swap', 'stale swap', 'remove', 'stale remove'),
      value: fc.string()
    })
    let runs = 0
    await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
      const run = runs++
      const model = new Map<string, Stored>()
      for (const { by, key, act, value } of steps) {
        const store = stores[by] as Store
        const name = `${run}${key}`
        const held = model.get(name)
        const version = act.startsWith('stale') ? 5 : held?.version ?? 7
        if (act === 'get') {
          same(await store.get(name), held)
        } else if (act.endsWith('remove')) {
          same(await store.remove(name, version), version === held?.version)
          if (version === held?.version) model.delete(name)
        } else {
          const expected = act === 'claim' ? undefined : version
          const given = await store.swap(name, expected, value, HOUR)
          same(given !== undefined, expected === held?.version)
          if (given !== undefined) model.set(name, { value, version: given })
        }
      }
      const records = Object.entries(await everything(stores[run % 2] as Store))
      same(new Map(records.filter(([name]) => /^\d+/.exec(name)?.[0] === String(run))), model)
    }), { numRuns: 60 })
    t.pass(`${runs} sequences`)

    function same (found: unknown, wanted: unknown) {
      if (!t.strictSame(found, wanted)) throw new Error('they differ')
    }
  }
}

for (const { name, skip, settings } of places) {
  t.test(`in ${name}`, { skip }, async (t) => {
    for (const [behaviour, check] of Object.entries(behaviours)) {
      await t.test(behaviour, async (t) => check(t, await settings(t)))
    }
  })
}

t.test('a directory', async (t) => {
  await t.test('is made when it is first needed, for this user alone', async (t) => {
    const directory = join(t.testdir({}), 'deep', 'state')
    const store = handle(t, { directory })
    t.notOk(existsSync(directory))
    await store.get('a')
    const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8)
    t.equal(modeOf(directory), '700')
    for (const file of readdirSync(directory)) t.equal(modeOf(join(directory, file)), '600', file)
  })

  await t.test('that can not be written fails each call, until it can', async (t) => {
    const parent = join(t.testdir({ parent: 'a file' }), 'parent')
    const changes: (string | undefined)[] = []
    const store = openStore({ directory: join(parent, 'state') }, (failure) => changes.push(failure?.message))
    t.teardown(() => store.close())
    const calls = [
      () => store.get('a'), () => store.swap('a', undefined, HUSH, HOUR), () => store.remove('a', 1),
      () => everything(store)
    ]
    for (const call of calls) {
      const error = await failure(t, call())
      t.match(error, { message: /^The state directory .*parent\/state can not be used: ENOTDIR.* See that/ })
      t.match(error.cause, { code: 'ENOTDIR' })
    }
    rmSync(parent)
    for (const call of calls) await call()
    t.match(changes, [/ENOTDIR/, undefined])
    t.equal(changes.length, 2, 'one word for each change')
  })

  await t.test('on a full disk fails what is written, keeps the rest, and recovers', { skip: noLimit }, async (t) => {
    const settings = { directory: join(t.testdir({}), 'state') }
    const writer = start(t, settings, 'write', 'k')
    /** How large a file of the writer may grow, in bytes: as good as a full disk. */
    const limit = (bytes: string) => execFileSync(PRLIMIT, [`--fsize=${bytes}:unlimited`, '--pid', String(writer.pid)])
    await writer.ready
    limit('100000')
    writer.go()
    await until(() => writer.failures.length > 10)
    for (const failure of writer.failures) {
      t.match(failure, /^! StoreError: The state directory .* can not be used: .*(Input.output error|No space|too large)/)
    }
    t.strictSame(Object.keys(await everything(handle(t, settings))).sort(), [...writer.lines].sort())

    const kept = writer.lines.length
    t.ok(kept > 0)
    limit('unlimited')
    await until(() => writer.lines.length > kept + 10)
    t.ok(writer.lines.length > kept + 10)
  })

  await t.test('is swept: what has expired takes no room', async (t) => {
    const directory = join(t.testdir({}), 'state')
    const store = embedded(directory, { sweepEvery: 20 })
    t.teardown(() => store.close())
    const put = (key: string, ttl: number) => store.swap(key, undefined, 'x', ttl)
    await Promise.all(Array.from({ length: 2500 }, (_, i) => put(`k${i}`, i % 100 === 0 ? HOUR : 1)))
    const rows = open({ path: directory, noSubdir: false, readOnly: true })
    t.teardown(() => rows.close())
    await until(() => rows.getKeysCount() === 25)
    t.equal(rows.getKeysCount(), 25)
    t.equal(Object.keys(await everything(store)).length, 25)
  })
})

t.test('a Redis', { skip: noRedis }, async (t) => {
  /** Milliseconds; twice what a call may take, for the sake of slow machines. */
  const SOON = 2 * 2500

  async function failsSoon (t: Test, call: Promise<unknown>) {
    const start = performance.now()
    const error = await failure(t, call)
    t.ok(performance.now() - start < SOON)
    t.match(error.message, /^The Redis at 127\.0\.0\.1:\d+ can not be used: .* See that/)
    t.notMatch(inspect(error, { depth: 10, showHidden: true }), HUSH)
    return error
  }

  /** Until a call succeeds again: the connection is made anew now and then. */
  async function recovers (t: Test, store: Store) {
    const end = performance.now() + 10_000
    while (performance.now() < end) {
      if (await store.get('a').then(() => true, () => false)) return t.pass('it is back')
      await sleep(50)
    }
    t.fail('it did not come back')
  }

  function watched (t: Test, url: string) {
    const changes: (string | undefined)[] = []
    const store = openStore({ redis: url }, (failure) => changes.push(failure?.message))
    t.teardown(() => store.close())
    return { store, changes }
  }

  await t.test('that is stopped fails each call at once; when it is back, all is well', async (t) => {
    const server = await startRedis(t, { password: HUSH })
    const { store, changes } = watched(t, server.url)
    await store.swap('a', undefined, HUSH, HOUR)
    await server.stop()
    await failsSoon(t, store.get('a'))
    await failsSoon(t, store.swap('a', undefined, HUSH, HOUR))
    await failsSoon(t, store.remove('a', 1))
    await failsSoon(t, everything(store))
    await server.start()
    await recovers(t, store)
    t.ok(await store.swap('a', undefined, HUSH, HOUR))
    t.equal(changes.length, 2, 'one word for each change')
    t.match(changes, [/can not be used/, undefined])
  })

  await t.test('that is stopped in the middle of many calls leaves none of them hanging', async (t) => {
    const server = await startRedis(t)
    const { store } = watched(t, server.url)
    await store.get('a')
    server.freeze()
    const calls = Array.from({ length: 50 }, (_, i) => store.swap(`k${i}`, undefined, 'x', HOUR))
    const outcomes = Promise.all(calls.map((call) => failsSoon(t, call)))
    await server.stop()
    await outcomes
  })

  await t.test('that is not there at the start is used when it is', async (t) => {
    const server = await startRedis(t)
    await server.stop()
    const { store, changes } = watched(t, server.url)
    t.match(await failsSoon(t, store.get('a')), { message: /ECONNREFUSED/ })
    await server.start()
    await recovers(t, store)
    t.match(changes, [/ECONNREFUSED/, undefined])
  })

  await t.test('that is silent fails each call soon, and is used when it speaks again', async (t) => {
    const server = await startRedis(t)
    const { store } = watched(t, server.url)
    await store.get('a')
    server.freeze()
    await Promise.all([failsSoon(t, store.get('a')), failsSoon(t, store.swap('a', undefined, 'x', HOUR))])
    await failsSoon(t, store.get('a'))
    server.thaw()
    await recovers(t, store)
  })

  await t.test('with another password: the error says so, without either', async (t) => {
    const server = await startRedis(t, { password: `${HUSH}-right` })
    const { store } = watched(t, server.url.replace('right', 'wrong'))
    t.match(await failsSoon(t, store.get('a')), { message: /WRONGPASS/ })
    const { store: none } = watched(t, server.url.replace(/:[^:]*@/, ''))
    t.match(await failsSoon(t, none.get('a')), { message: /NOAUTH/ })
  })

  await t.test('can be shared with others: every key has a prefix, and nothing else is touched', async (t) => {
    const server = await startRedis(t)
    const client = new Redis(server.url)
    t.teardown(() => client.disconnect())
    await client.mset({ a: 'of others', 'other:a': 'of others', 'spot-ap': 'of others' })
    const { store } = watched(t, server.url)
    const version = await store.swap('a', undefined, 'ours', HOUR)
    t.strictSame(await everything(store), { a: { value: 'ours', version } })
    t.strictSame((await client.keys('*')).sort(), ['a', 'other:a', 'spot-ap', 'spot-api:state:a'])
    t.ok(await client.pttl('spot-api:state:a') > HOUR / 2)
  })

  await t.test('over TLS: only with a certificate that somebody vouches for', { skip: noTls }, async (t) => {
    const { url, certificate } = await startRedis(t, { tls: true })
    t.match(await failsSoon(t, handle(t, { redis: url }).get('a')), { message: /self-signed certificate/ })
    const child = start(t, { redis: url }, 'claim', 'k', { NODE_EXTRA_CA_CERTS: certificate })
    await child.ready
    child.go()
    await child.ended
    t.equal(child.lines.length, 100)
  })
})

t.test('the gateway', async (t) => {
  await t.test('logs one line when its state is lost, and one when it is back', async (t) => {
    const parent = join(t.testdir({ parent: 'a file' }), 'parent')
    const { app, log } = await startGateway(t, { configuration: { state: { directory: join(parent, 'state') } } })
    const lines = () => log.map((line) => JSON.parse(line)).filter(({ msg }) => /state/i.test(msg))
    t.equal(lines().length, 0, 'nothing is opened before it is needed')
    await t.rejects(app.store.get('a'), StoreError)
    await t.rejects(app.store.get('a'), StoreError)
    t.match(lines(), [{ level: 50, msg: /^The state directory .* can not be used: ENOTDIR/ }])
    rmSync(parent)
    await app.store.swap('a', undefined, 'x', HOUR)
    await app.store.get('a')
    t.match(lines().slice(1), [{ level: 30, msg: /again/ }])
    t.equal(lines().length, 2)
  })

  await t.test('closes its store with itself', async (t) => {
    const { app } = await startGateway(t, {})
    await app.store.swap('a', undefined, 'x', HOUR)
    await app.close()
    await t.rejects(app.store.get('a'), /closed/)
  })

  await t.test('on the sandbox has a new directory each time, and leaves none', async (t) => {
    const sandbox = { url: 'http://127.0.0.1:1', accounts: [{ id: 'a', token: 'b' }] }
    const configuration = sandboxConfiguration(sandbox, 'a-key-for-tests-only')
    t.notSame(sandboxConfiguration(sandbox, 'a-key-for-tests-only').state, configuration.state)
    await forget(configuration)
    const store = openStore(configuration.state)
    await store.swap('a', undefined, 'x', HOUR)
    await store.close()
    const { directory } = configuration.state as { directory: string }
    t.ok(existsSync(directory))
    await forget(configuration)
    t.notOk(existsSync(directory))
  })
})
