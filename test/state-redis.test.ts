import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import type { State } from '../services/state/index.js'
import { noRedis, noTls, startRedis } from './redis.js'
import { everything, failure, HOUR } from './state-contract.js'
import { handle, HUSH, start, watched } from './state-handles.js'
import { until } from './until.js'

t.test('a Redis for the state', { skip: noRedis }, async (t) => {
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

  await t.test('that is read-only counts as down until it can be written; the log says so once', async (t) => {
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

  await t.test('over TLS: only with a certificate of a known authority', { skip: noTls }, async (t) => {
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
