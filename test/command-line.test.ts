import { readFileSync } from 'node:fs'
import t from 'tap'
import { commandOf, type Command } from '../services/process/command-line.js'
import { UsageError } from '../services/process/option-values.js'
import { version } from '../services/process/release.js'
import type { SandboxOptions } from '../services/process/sandbox-options.js'
import { run } from './process.js'

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
