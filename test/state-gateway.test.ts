import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { document } from '../openapi/document.js'
import { forget, sandboxConfiguration } from '../services/process/sandbox-mode.js'
import { openState, StateError } from '../services/state/index.js'
import { startGateway } from './helper.js'
import { noRedis, startRedis } from './redis.js'
import { HOUR } from './state-contract.js'
import { testDirectory } from './test-directory.js'
import { until } from './until.js'

const { examples } = document.components as unknown as { examples: Record<string, { value: object }> }

t.test('a gateway', async (t) => {
  const stateOf = async ({ request }: Awaited<ReturnType<typeof startGateway>>) => {
    const { status, json } = await request('GET', '/v1/spot/ready', { token: null })
    const { text } = await request('GET', '/v1/spot/metrics', { token: null })
    return { status, json, up: /^spot_api_state_up (.*)$/m.exec(text)?.[1] }
  }
  const linesOf = (log: string[]) => log.map((line) => JSON.parse(line)).filter(({ msg }) => /state|cannot be used/i.test(msg))

  await t.test('logs once that its state is down, goes on, and logs once that it is back', async (t) => {
    const parent = join(testDirectory(t, { parent: 'a file' }), 'parent')
    const gateway = await startGateway(t, { configuration: { state: { directory: join(parent, 'state') } } })
    const { app, log } = gateway
    await until(() => app.state.failure !== undefined)
    t.strictSame(await stateOf(gateway), { status: 200, json: { ready: true, state: 'down' }, up: '0' })
    await t.rejects(app.state.get('a'), StateError)
    await t.rejects(app.state.get('a'), StateError)
    for (const key of ['a', 'b']) {
      const { status, json } = await gateway.request('POST', '/v1/spot/demo/elastigroups', {
        body: examples.ElastigroupCreateExample?.value, headers: { 'idempotency-key': key }
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

  await t.test('logs soon after its start that the password of Redis is wrong', { skip: noRedis }, async (t) => {
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

  await t.test('closes its state when it closes, and logs nothing of it', async (t) => {
    const { app, log } = await startGateway(t, {})
    await app.state.swap('a', undefined, 'x', HOUR)
    await app.close()
    await t.rejects(app.state.get('a'), /closed/)
    t.strictSame(linesOf(log), [])
  })

  await t.test('of a sandbox has a new directory each time, and removes it', async (t) => {
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
