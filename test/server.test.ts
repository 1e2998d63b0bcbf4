import { execFile, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { verify } from '@node-rs/bcrypt'
import t from 'tap'
import { commandOf, type Command } from '../services/process/command-line.js'
import { UsageError } from '../services/process/option-values.js'
import { version } from '../services/process/release.js'
import type { SandboxOptions } from '../services/process/sandbox-options.js'
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

const serve = { name: 'serve', config: undefined, listen: {}, key: undefined } as const
const SANDBOX = {
  port: 9900,
  token: undefined,
  account: 'act-5a9db0c5',
  limit: 1000,
  'list-shape': 'config',
  empty: false,
  speed: 1,
  log: false,
  state: undefined
} as const
const FLAT = {
  token: 'hush',
  account: 'act-1',
  limit: 5,
  'list-shape': 'flat',
  empty: true,
  speed: 0.5,
  log: true,
  state: 'w.json'
} as const

/** The command with these options, and the defaults of the others. */
const sandbox = (options: Partial<SandboxOptions>, listen?: { host: string, port: number }): Command => {
  const { port = SANDBOX.port } = options
  return { name: 'sandbox', listen: listen ?? { port }, options: { ...SANDBOX, ...options } }
}

type CommandLine = [string, { given: string, environment?: Record<string, string>, want: Command | RegExp }]

const commands: CommandLine[] = [
  ['nothing', { given: '', want: serve }],
  ['options alone', {
    given: '--listen :80 --config a', want: { ...serve, config: 'a', listen: { host: '0.0.0.0', port: 80 } }
  }],
  ['serve', { given: 'serve --config=a', want: { ...serve, config: 'a' } }],
  ['serve on a port', { given: 'serve --port 1', want: { ...serve, listen: { port: 1 } } }],
  ['a key for the sandbox', { given: '--key hush', want: { ...serve, key: 'hush' } }],
  ['a demo', {
    given: '--demo --listen [::1]:80',
    want: { ...serve, listen: { host: '::1', port: 80 }, key: 'spot-api-demo-key' }
  }],
  ['a demo for everybody', { given: '--demo --listen :80', want: /--demo has a key that everybody knows/ }],
  ['a demo with a key', { given: '--demo --key hush', want: /leave out --key/ }],
  ['a demo with a configuration', { given: '--demo --config a', want: /--demo is for the sandbox: leave out --config/ }],
  ['a key with a configuration', { given: '--key k --config a', want: /--key is for the sandbox: leave out --config/ }],
  ['an unset variable for the key', { given: '--key=', want: /--key needs a key/ }],
  ['sandbox', { given: 'sandbox', want: sandbox({}) }],
  ['sandbox on a port', { given: 'sandbox --port 0', want: sandbox({ port: 0 }) }],
  ['sandbox on an address', {
    given: 'sandbox --listen [::1]:1', want: sandbox({}, { host: '::1', port: 1 })
  }],
  ['sandbox with options', {
    given: 'sandbox --token hush --account act-1 --limit 5 --list-shape flat --empty --speed 0.5 --log --state=w.json',
    want: sandbox(FLAT)
  }],
  ['sandbox by the environment', {
    given: 'sandbox --port 1',
    environment: {
      SPOT_API_SANDBOX_PORT: '2',
      SPOT_API_SANDBOX_TOKEN: 'hush',
      SPOT_API_SANDBOX_ACCOUNT: 'act-1',
      SPOT_API_SANDBOX_LIMIT: '5',
      SPOT_API_SANDBOX_LIST_SHAPE: 'flat',
      SPOT_API_SANDBOX_EMPTY: 'true',
      SPOT_API_SANDBOX_SPEED: '0.5',
      SPOT_API_SANDBOX_LOG: 'true',
      SPOT_API_SANDBOX_STATE: 'w.json'
    },
    want: sandbox({ ...FLAT, port: 1 })
  }],
  ['an empty variable', {
    given: 'sandbox', environment: { SPOT_API_SANDBOX_TOKEN: '' }, want: sandbox({})
  }],
  ['a variable that is wrong', {
    given: 'sandbox', environment: { SPOT_API_SANDBOX_LOG: 'yes' }, want: /SPOT_API_SANDBOX_LOG must be true or false/
  }],
  ['what Kubernetes sets where a Service is called spot-api-sandbox', {
    given: 'sandbox', environment: { SPOT_API_SANDBOX_PORT: 'tcp://10.0.0.1:9900' }, want: sandbox({})
  }],
  ['a port in the environment, and an address', {
    given: 'sandbox --listen :1',
    environment: { SPOT_API_SANDBOX_PORT: '2' },
    want: sandbox({ port: 2 }, { host: '0.0.0.0', port: 1 })
  }],
  ['an empty token', { given: 'sandbox --token=', want: /--token needs a value/ }],
  ['a limit of nothing', { given: 'sandbox --limit 0', want: /--limit must be a whole number from 1 to 1000000000/ }],
  ['another shape', { given: 'sandbox --list-shape round', want: /--list-shape must be config or flat/ }],
  ['no speed', { given: 'sandbox --speed 0', want: /--speed must be a number above 0/ }],
  ['an unset variable for the state', { given: 'sandbox --state=', want: /--state needs the name of a file/ }],
  ['token', { given: 'token --cost 12', want: { name: 'token', cost: 12 } }],
  ['check', { given: 'check --config a', want: { name: 'check', config: 'a', connect: false } }],
  ['check with its Redis', {
    given: 'check --config a --connect', want: { name: 'check', config: 'a', connect: true }
  }],
  ...['help', '--help', '-h', 'token --help', 'serve -h', 'help token'].map((given): CommandLine =>
    [given, { given, want: { name: 'help' } }]),
  ...['version', '--version', '-v', 'check -v'].map((given): CommandLine =>
    [given, { given, want: { name: 'version' } }]),
  ['a name every object has', { given: 'constructor', want: /no command constructor/ }],
  ['an option of another command', { given: 'token --port 1', want: /token takes no --port/ }],
  ['an unknown option', { given: '--verbose', want: /--verbose/ }],
  ['two commands', { given: 'serve token', want: /token/ }],
  ['a command behind options', { given: '--config a token', want: /token/ }],
  ['check of nothing', { given: 'check', want: /check needs --config FILE/ }],
  ['an unset variable for the configuration', { given: '--config=', want: /--config needs the name of a file/ }],
  ['an unset variable for the address', { given: '--listen=', want: /--listen must be HOST:PORT/ }],
  ['a port alone', { given: '--listen 8080', want: /--listen must be HOST:PORT/ }],
  ['two ports', { given: 'sandbox --listen :1 --port 1', want: /--listen has a port/ }],
  ['a port too high', { given: 'sandbox --port 65536', want: /--port must be a whole number from 0 to 65535/ }],
  ['a cost too high', { given: 'token --cost 13', want: /--cost must be a whole number from 4 to 12/ }],
  ['a cost that is no number', { given: 'token --cost 1e1', want: /--cost must be a whole number/ }]
]

t.test('the command line', async (t) => {
  for (const [name, { given, environment = {}, want }] of commands) {
    const read = () => commandOf(given.split(' ').filter(Boolean), environment)
    if (want instanceof RegExp) t.throws(read, { constructor: UsageError, message: want }, name)
    else t.strictSame(read(), want, name)
  }
})

t.test('help', async (t) => {
  const { code, output, errors } = await run(t, ['-h']).ends()
  t.strictSame({ code, errors }, { code: 0, errors: '' })
  for (const word of ['serve', 'sandbox', 'token', 'check', '--config', '--listen', '--port', '--key', '--demo']) {
    t.match(output, word)
  }
  for (const option of Object.keys(SANDBOX)) t.match(output, `--${option} `, `sandbox --${option}`)
})

t.test('the page of the sandbox has its options and their variables', async (t) => {
  const page = readFileSync(new URL('../docs/sandbox.md', import.meta.url), 'utf8')
  const rows = [...page.matchAll(/^\| `--([\w-]+).*?` \| `(SPOT_API_SANDBOX_\w+)/gm)]
  t.strictSame(rows.map(([, option]) => option), Object.keys(SANDBOX))
  for (const [, option = '', variable = ''] of rows) {
    t.throws(() => commandOf(['sandbox', `--${option}=`], {}), { constructor: UsageError, message: /./ }, option)
    t.throws(() => commandOf(['sandbox'], { [variable]: ' ' }), { message: variable }, variable)
  }
})

t.test('version', async (t) => {
  t.strictSame(await run(t, ['-v']).ends(), { code: 0, output: `${version}\n`, errors: '' })
})

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
