import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { hashSync } from '@node-rs/bcrypt'
import t, { type Test } from 'tap'
import { readConfiguration } from '../services/configuration/index.js'
import { Reload } from '../services/configuration/reload.js'
import { KEY, TOKEN } from './keys.js'
import { run, spot } from './process.js'
import { testDirectory } from './test-directory.js'

const OTHER = 'another-key-for-tests'
const other = { 'x-auth-token': hashSync(OTHER, 4), 'x-auth-client': 'portal' }
const portal = { name: 'portal', key: OTHER, accounts: ['*'], access: 'read' }
const RELOADS = process.env.CHAOS === 'full' ? 1000 : 8

/** A server that serves from a file, which is put in place as a whole. */
async function serve (t: Test) {
  const { configuration } = await spot(t, {
    sandbox: { rateLimit: Infinity }, settings: { logLevel: 'info', audit: { file: 'audit.log' } }
  })
  const settings = JSON.parse(configuration)
  const folder = testDirectory(t, { 'config.json': configuration })
  const server = run(t, ['--config', 'config.json'], { folder })
  const [, url = ''] = await server.prints(/listening at (http:[^"]+)/)
  const write = (text: string) => {
    writeFileSync(join(folder, 'next.json'), text)
    renameSync(join(folder, 'next.json'), join(folder, 'config.json'))
  }
  return {
    server,
    write,
    configure: (more: object) => write(JSON.stringify({ ...settings, ...more })),
    status: async (headers: Record<string, string>) =>
      (await fetch(`${url}/v1/spot/whoami`, { headers })).status,
    metrics: async () => (await fetch(`${url}/v1/spot/metrics`)).text(),
    url
  }
}

const owner = { 'x-auth-token': TOKEN }

t.test('a changed configuration file takes effect, an invalid one does not', async (t) => {
  const { server, write, configure, status, metrics } = await serve(t)
  t.strictSame([await status(owner), await status(other)], [200, 401])
  configure({ clients: [portal] })
  await server.prints(/"waiting":\[\],"msg":"configuration reloaded"/)
  t.equal(await status(other), 200, 'without a signal')

  write('{"accounts": {}')
  server.kill('SIGHUP')
  server.kill('SIGHUP')
  await server.prints(/the configuration was not reloaded.*: .*is not valid JSON/)
  t.strictSame([await status(owner), await status(other)], [200, 200])
  t.match(await metrics(), /^spot_api_configuration_last_reload_success 0$/m)

  configure({ clients: [], listenAddress: '127.0.0.1:1', drainSeconds: 1 })
  server.kill('SIGHUP')
  await server.prints(/"waiting":\["listenAddress","drainSeconds"\].*restart/)
  t.equal(await status(other), 401, 'a key that is gone is refused, though it was remembered')
  t.match(await metrics(), /^spot_api_configuration_last_reload_success 1$/m)
  t.equal(await status(owner), 200)

  server.kill('SIGTERM')
  const { code, output } = await server.ends()
  t.equal(code, 0)
  t.equal(output.match(/was not reloaded/g)?.length, 1, 'the fault is logged once')
  t.notMatch(output, OTHER)
  t.notMatch(output, KEY)
})

t.test('a setting that waits for a restart is named at every reload until the restart', async (t) => {
  const folder = t.testdir({})
  const file = join(folder, 'config.json')
  const sound = { accounts: { demo: { id: 'act-5a9db0c5', token: 'vendor' } }, token: KEY }
  const write = (more: object) => writeFileSync(file, JSON.stringify({ ...sound, ...more }))
  const reloads: string[][] = []
  write({})
  const reload = new Reload(file, readConfiguration(file), {
    onChange: (_, waiting) => { reloads.push(waiting) },
    onFailure: (error) => t.fail(String(error))
  })
  t.teardown(() => reload.close())
  const after = (more: object) => {
    write(more)
    reload.now()
    return reloads.at(-1)
  }
  t.strictSame(after({ org: 'a' }), [], 'what takes effect at once does not wait')
  t.strictSame(after({ org: 'a', maxRequests: 1, reads: { staleFor: 5 } }), ['maxRequests', 'reads'])
  t.strictSame(after({ org: 'b', maxRequests: 1, reads: { staleFor: 5 } }), ['maxRequests', 'reads'], 'still')
  t.strictSame(after({ org: 'b', maxRequests: 1 }), ['maxRequests'], 'what is as it was at the start does not')
  t.equal(reloads.length, 4)
  reload.now()
  t.equal(reloads.length, 4, 'a file that did not change is no reload')
})

t.test('reload after reload under load loses nothing', async (t) => {
  const { server, configure, status, url } = await serve(t)
  const answers: Record<string, number> = {}
  const load = { over: false }
  const callers = Array.from({ length: 4 }, async (_, index) => {
    while (!load.over) {
      const path = index % 2 === 0 ? '/v1/spot/real/instances' : '/v1/spot/accounts'
      const end = await fetch(url + path, { headers: owner }).then(async (answer) => {
        await answer.arrayBuffer()
        return answer.status
      }, (error) => String(error.cause ?? error))
      answers[end] = (answers[end] ?? 0) + 1
    }
  })
  for (let reload = 0; reload < RELOADS; reload++) {
    configure({ clients: reload % 2 === 0 ? [portal] : [] })
    server.kill('SIGHUP')
    await server.prints(/configuration reloaded/, reload + 1)
  }
  configure({ clients: [portal] })
  server.kill('SIGHUP')
  await server.prints(/configuration reloaded/, RELOADS + 1)
  t.equal(await status(other), 200, 'the last one counts')
  load.over = true
  await Promise.all(callers)
  server.kill('SIGTERM')
  const { code, output } = await server.ends()
  const reloads = output.match(/configuration reloaded/g)?.length ?? 0
  t.comment(`${reloads} reloads took effect, answers ${JSON.stringify(answers)}`)
  t.strictSame(Object.keys(answers), ['200'], 'every request got its answer')
  t.equal(reloads, RELOADS + 1)
  t.equal(code, 0)
})
