import { execFile, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { verify } from '@node-rs/bcrypt'
import t from 'tap'
import { KEY, TOKEN } from './keys.js'
import { run, spot } from './process.js'
import { testDirectory } from './test-directory.js'

const skip = ['bash', 'curl'].some((tool) => spawnSync(tool, ['--version']).error) ? 'there is no bash or curl' : false

const get = (url: string) => fetch(url, { headers: { 'x-auth-token': TOKEN } })

/** Runs a line as a person would who pastes it. */
const paste = async (line: string) =>
  (await promisify(execFile)('bash', ['-c', line], { env: { ...process.env, no_proxy: '*' } })).stdout

// A process takes most of a second to start: several at once.
t.jobs = 4

type Failure = { given: string[], want: { code: number, errors: RegExp }, files?: object, input?: string | Buffer }

const failures: [string, Failure][] = [
  ['an unknown command', { given: ['destroy'], want: { code: 2, errors: /no command destroy.*\nSee spot-api --help/ } }],
  ['token: no key', { given: ['token'], input: '\n', want: { code: 2, errors: /no key on standard input/ } }],
  ['token: a key in another encoding', {
    given: ['token'], input: Buffer.from('hush-ü'.repeat(5), 'latin1'), want: { code: 2, errors: /^The key is not UTF-8\.\n/ }
  }],
  ['token: a key that no configuration takes', {
    given: ['token'], input: 'hush', want: { code: 2, errors: /^The key must have 16 to 72 bytes \(it has 4\)\.\n/ }
  }],
  ['check: what cannot be used', {
    given: ['check', '--config', 'a.json'],
    files: { 'a.json': '{"token": "hush", "accounts": {"a": {"id": "a", "token": "hush\\n", "endpoint": "http://hush"}}}' },
    want: {
      code: 1, errors: /^a\.json cannot be used:\n {2}\/accounts\/a\/endpoint .+\n {2}\/accounts\/a\/token .+\n {2}\/token .+\n$/
    }
  }],
  ['check: a Redis that cannot be reached', {
    given: ['check', '--connect', '--config', 'a.json'],
    files: {
      'a.json': '{"token": "hush-hush-hush-hush", "accounts": {"a": {"id": "a", "token": "hush"}}, ' +
        '"state": {"redis": "redis://:hush@127.0.0.1:1"}}'
    },
    want: { code: 1, errors: /^a\.json cannot be used:\n {2}\/state\/redis The Redis at 127\.0\.0\.1:1 cannot be used: / }
  }],
  ['serve: a missing configuration starts no sandbox', {
    given: ['--config', 'none.json'], want: { code: 1, errors: /^none\.json cannot be used:\n {2}no such file\n$/ }
  }],
  ['serve: a broken config/config.json starts no sandbox', {
    given: [],
    files: { config: { 'config.json': '{"token": hush}' } },
    want: { code: 1, errors: /^config\/config\.json cannot be used:\n {2}is not valid JSON: line 1, column 11: .+\n$/ }
  }],
  ['serve: an address of somebody else', {
    given: ['--listen', '192.0.2.1:0'], want: { code: 1, errors: /^Cannot listen on 192\.0\.2\.1:0 .*--listen/ }
  }]
]

for (const [name, { given, want, ...surroundings }] of failures) {
  t.test(name, async (t) => {
    const { code, output, errors } = await run(t, given, surroundings).ends()
    t.match({ code, errors }, want)
    t.equal(output, '')
    t.notMatch(errors, /hush|^\s+at /m, 'neither a secret nor a stack')
  })
}

t.test('spot-api token makes an X-Auth-Token value from a key', async (t) => {
  const { code, output, errors } = await run(t, ['token', '--cost', '5'], { input: `${KEY}\n` }).ends()
  t.strictSame({ code, errors }, { code: 0, errors: '' })
  t.match(output, /^\$2b\$05\$\S{53}\n$/)
  t.ok(await verify(KEY, output.trim()))
})

t.test('check says what can be used and who may do what, warns, and shows no secret', async (t) => {
  const { configuration } = await spot(t, {
    settings: {
      clients: [
        { name: 'portal', key: `${KEY}-1`, accounts: ['real'], access: 'read', expires: '2020-01-31' },
        { name: 'pipeline', key: `${KEY}-2`, accounts: ['*'], access: 'write', guardrails: { maxCapacity: 1 } },
        { name: 'tidier', key: `${KEY}-3`, accounts: ['*'], access: 'write', allowDelete: true, expires: '9999-12-31' }
      ],
      state: { directory: 'a.json/state' },
      audit: { file: 'a.json' }
    }
  })
  const { code, output, errors } = await run(t, ['check', '--config', 'a.json', '--connect'], {
    files: { 'a.json': configuration }
  }).ends()
  t.equal(code, 0)
  t.strictSame(output.split('\n'), [
    'a.json can be used. Accounts: real.',
    '  default may read, write and delete in all accounts',
    '  portal may read, with secrets masked, in real, until 2020-01-31T00:00:00.000Z',
    '  pipeline may read and write, but not delete, in all accounts, with guardrails of its own',
    '  tidier may read, write and delete in all accounts, until 9999-12-31T00:00:00.000Z',
    ''
  ])
  t.match(errors.split('\n'), [
    'Warning: The keys of the client portal ended at 2020-01-31T00:00:00.000Z.',
    /^Warning: state\.directory: \/.*\/a\.json is not a directory\.$/,
    ''
  ])
  t.notMatch(output + errors, KEY)
})

t.test('a port in use is reported as such', async (t) => {
  const other = createServer().listen(0, '127.0.0.1')
  t.teardown(() => other.close())
  await once(other, 'listening')
  const { port } = other.address() as AddressInfo
  for (const words of [['--port', `${port}`], ['sandbox', '--listen', `127.0.0.1:${port}`]]) {
    const { code, output, errors } = await run(t, words).ends()
    t.strictSame({ code, output }, { code: 1, output: '' })
    t.match(errors, new RegExp(`^127\\.0\\.0\\.1:${port} is in use.*--listen HOST:PORT, or --port N.*\\n$`))
  }
})

t.test('without a configuration the sandbox starts, and what it prints can be pasted', { skip }, async (t) => {
  const { prints, kill, ends } = run(t, ['--listen', '127.0.0.1:0'])
  const [banner = ''] = await prints(/[^]*Ctrl-C[^]*\n/)
  t.match(banner, /SANDBOX.*Nothing here is real/)
  const [, key = '', token = ''] = /key +(\S+)\n +X-Auth-Token +'(.+)'\n/.exec(banner) ?? []
  t.ok(await verify(key, token), 'the header value goes with the key')

  const lines = banner.match(/^ +curl .+$/gm) ?? []
  t.equal(lines.length, 2)
  for (const line of lines) t.ok(JSON.parse(await paste(line)).length > 0, line)
  const docs = new URL(/http\S+\/docs$/m.exec(banner)?.[0] ?? '')
  t.equal((await fetch(docs)).status, 200, 'the docs are where it says')

  const spare = connect(Number(docs.port), docs.hostname)
  await once(spare, 'connect')
  kill('SIGINT')
  t.match(await ends(), { code: 0, errors: '' }, 'Ctrl-C ends it, though browsers keep connections to spare')
})

t.test('a demo has a fixed key, whatever is configured', async (t) => {
  const files = { config: { 'config.json': '{' } }
  const { prints, kill, ends } = run(t, ['--demo', '--listen', '127.0.0.1:0'], { files })
  const [, address = ''] = await prints(/(http:\S+)\/v1\/spot\/docs$/m)
  const page = readFileSync(new URL('../docs/sandbox.md', import.meta.url), 'utf8')
  const [, token = ''] = /X-Auth-Token: (\$2b\$\S+?)'/.exec(page) ?? []
  t.ok(await verify('spot-api-demo-key', token), 'the page has a header for it')
  const response = await fetch(`${address}/v1/spot/demo/elastigroups`, { headers: { 'x-auth-token': token } })
  t.equal(response.status, 200)
  kill('SIGINT')
  t.match(await ends(), { code: 0, errors: '' })
})

t.test('the simulated Spot starts alone: what it prints can be pasted, and it keeps its state', { skip }, async (t) => {
  const folder = testDirectory(t)
  const words = ['sandbox', '--port', '0', '--state', 'world.json', '--log']
  const { prints, kill, ends } = run(t, words, { folder })
  const [line = ''] = await prints(/^ +curl .+$/m)
  t.ok(JSON.parse(await paste(line)).response.items.length > 0, line)
  await prints(/^\S+Z GET \/aws\/ec2\/group\?accountId=act-5a9db0c5 200 \d+ ms$/m)
  await paste(line.replace('curl', 'curl -X DELETE').replace('group?', 'group/sig-0f3ac1d2?'))
  kill('SIGTERM')
  t.match(await ends(), { code: 0, errors: '' })

  const strict = run(t, [...words, '--token', 'hush-hush'], { folder })
  const [again = ''] = await strict.prints(/^ +curl .+$/m)
  t.equal(JSON.parse(await paste(again)).response.count, 3, 'the deleted group stays deleted')
  t.equal(JSON.parse(await paste(again.replace('hush-hush', 'hush'))).response.status.code, 401)
  writeFileSync(join(folder, 'broken.json'), '{')
  const { code, errors } = await run(t, ['sandbox', '--port', '0', '--state', 'broken.json'], { folder }).ends()
  t.match({ code, errors }, { code: 1, errors: /^The state broken\.json cannot be used: [^\n]+ start anew\.\n$/ })
  strict.kill('SIGINT')
  t.match(await strict.ends(), { code: 0, errors: '' })
})

t.test('config/config.json is served where there is one', async (t) => {
  const { configuration } = await spot(t)
  const { prints, kill, ends } = run(t, [], { files: { config: { 'config.json': configuration } } })
  const [, url] = await prints(/listening at (http:[^"]+)/)
  const response = await get(`${url}/v1/spot/real/elastigroups`)
  t.equal(response.status, 200)
  t.ok((await response.json() as []).length > 0)
  kill('SIGINT')
  const { code, output, errors } = await ends()
  t.strictSame({ code, errors }, { code: 0, errors: '' })
  t.notMatch(output, /SANDBOX/)
})
