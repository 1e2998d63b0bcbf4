import { join } from 'node:path'
import t, { type Test } from 'tap'
import { ConfigurationError, readConfiguration, type Configuration } from '../services/configuration/index.js'
import { testDirectory } from './test-directory.js'

/** Stands in every value that could be a secret; no message may show it. */
const HUSH = 'hush-hush'
const KEY = `${HUSH}-a-long-key`
const account = { id: 'act-5a9db0c5', token: `${HUSH}-vendor` }
const sound = { accounts: { demo: account }, token: KEY }
const withAccount = (more: object) => ({ ...sound, accounts: { demo: { ...account, ...more } } })

/** A file's text, or what it says as JSON. */
type File = string | Buffer | object

/** `[name, …]` of a test, what is loaded and what is expected of it. */
type Row<Want> = [string, { given: File, want: Want } & Surroundings]

interface Surroundings {
  /** Files beside the configuration. */
  files?: Record<string, string | Buffer>
  environment?: Record<string, string>
}

const contentOf = (file: File) => typeof file === 'string' || Buffer.isBuffer(file) ? file : JSON.stringify(file)

/** Loads the configuration from a real file. */
function load (t: Test, file: File, { files = {}, environment = {} }: Surroundings = {}): Configuration {
  const folder = testDirectory(t, { ...files, 'config.json': contentOf(file) })
  return readConfiguration(join(folder, 'config.json'), environment).configuration
}

/** Why a configuration is refused. */
function refusal (t: Test, load: () => unknown): ConfigurationError {
  try {
    load()
  } catch (error) {
    if (error instanceof ConfigurationError) return error
    t.fail('what is thrown is not meant for the operator', { found: error })
  }
  throw new Error('it was accepted')
}

t.test("the earlier Go service's file works as it is", async (t) => {
  const spinup = { id: 'act-00000001', token: `${HUSH}-1`, region: 'us-east-1', defaultVPC: 'vpc-00000001' }
  const defaults = { endpoint: 'https://api.spotinst.io', marker: true }
  const given = {
    listenAddress: ':8080', accounts: { spinup, other: account }, token: KEY, logLevel: 'warning', org: 'localdev'
  }
  t.strictSame(load(t, given), {
    listen: { host: '0.0.0.0', port: 8080 },
    accounts: { spinup: { ...defaults, ...spinup }, other: { ...defaults, ...account } },
    clients: [{ name: 'default', keys: [KEY], accounts: ['*'], access: 'admin', allowDelete: true }],
    keysTried: 4,
    trustedProxies: [],
    metrics: 'public',
    cors: [],
    maxRequests: 1000,
    share: 0.5,
    logLevel: 'warn',
    organizationTag: 'localdev',
    source: undefined,
    audit: 'stdout',
    deadlines: { read: 10_000, write: 60_000 },
    state: { directory: 'state' },
    reads: { freshFor: 1000, staleFor: 60_000 },
    settle: 15_000,
    drainSeconds: 5,
    sandbox: false
  })
})

const aKeyOf = (key: string) => `a key of ${Buffer.byteLength(key)} bytes (${key.slice(0, 2)}…)`

const accepted: Row<object>[] = [
  ['accounts and a key are enough', {
    given: sound, want: { listen: { host: '0.0.0.0', port: 8080 }, logLevel: 'info', organizationTag: undefined }
  }],
  ...Object.entries({ info: 'info', trace: 'trace', warning: 'warn', panic: 'fatal' })
    .map(([logLevel, want]): Row<object> =>
      [`logLevel ${logLevel}`, { given: { ...sound, logLevel }, want: { logLevel: want } }]),
  ...[0, 0.5, 600].map((drainSeconds): Row<object> =>
    [`a drain of ${drainSeconds} seconds`, { given: { ...sound, drainSeconds }, want: { drainSeconds } }]),
  ['origins', {
    given: { ...sound, cors: ['https://portal.example.org', 'http://localhost:3000', 'http://[::1]:3000'] },
    want: { cors: ['https://portal.example.org', 'http://localhost:3000', 'http://[::1]:3000'] }
  }],
  ['load balancers and a bound', {
    given: { ...sound, trustedProxies: ['10.0.0.0/8', '192.0.2.7', 'fd00::/8', '::1'], maxRequests: 1 },
    want: { trustedProxies: ['10.0.0.0/8', '192.0.2.7', 'fd00::/8', '::1'], maxRequests: 1 }
  }],
  ['an organization of an account', {
    given: { ...sound, accounts: { other: { ...account, organization: 'acme' } } },
    want: { accounts: { other: { ...account, organization: 'acme' } } }
  }],
  ['a byte order mark, as Windows writes it', { given: `\uFEFF${JSON.stringify(sound)}`, want: { keysTried: 4 } }],
  ['the key from the environment', {
    given: { ...sound, token: { env: 'THE_KEY' } }, environment: { THE_KEY: KEY }, want: { clients: [{ keys: [KEY] }] }
  }],
  ['the key from a file beside the configuration, without its line end', {
    given: { ...sound, token: { file: 'key' } }, files: { key: `${KEY}\n` }, want: { clients: [{ keys: [KEY] }] }
  }],
  ['a line end of Windows', {
    given: { ...sound, token: { file: './key' } }, files: { key: `${KEY}\r\n` }, want: { clients: [{ keys: [KEY] }] }
  }],
  ['a byte order mark before a key', {
    given: { ...sound, token: { file: 'key' } }, files: { key: `\uFEFF${KEY}\n` }, want: { clients: [{ keys: [KEY] }] }
  }],
  ['tokens of accounts from the environment and from a file', {
    given: { ...sound, accounts: { a: { ...account, token: { env: 'T' } }, b: { ...account, token: { file: 't' } } } },
    environment: { T: 'abc' },
    files: { t: 'def\n' },
    want: { accounts: { a: { token: 'abc' }, b: { token: 'def' } } }
  }],
  ...['constructor', 'toString', '0_a-B'].map((name): Row<object> =>
    [`an account named ${name}`, {
      given: { ...sound, accounts: { [name]: account } }, want: { accounts: { [name]: account } }
    }]),
  ...['https://spot.example', 'https://spot.example:8443/base', 'http://localhost:9900', 'http://127.0.0.1:9900',
    'http://127.1.2.3', 'http://[::1]:9900'].map((endpoint): Row<object> =>
    [`the endpoint ${endpoint}`, { given: withAccount({ endpoint }), want: { accounts: { demo: { endpoint } } } }]),
  ...Object.entries({
    ':0': { host: '0.0.0.0', port: 0 },
    '127.0.0.1:80': { host: '127.0.0.1', port: 80 },
    'localhost:65535': { host: 'localhost', port: 65_535 },
    '[::1]:8080': { host: '::1', port: 8080 },
    '[::]:8080': { host: '::', port: 8080 }
  }).map(([listenAddress, listen]): Row<object> =>
    [`the address ${listenAddress}`, { given: { ...sound, listenAddress }, want: { listen } }]),
  ['state in a directory of its own', {
    given: { ...sound, state: { directory: '/var/lib/spot-api' } }, want: { state: { directory: '/var/lib/spot-api' } }
  }],
  ['state without a word', { given: { ...sound, state: {} }, want: { state: { directory: 'state' } } }],
  ...['redis://localhost', `rediss://user:${HUSH}@redis.example:6380/2`].map((redis): Row<object> =>
    [`state in ${new URL(redis).host}`, { given: { ...sound, state: { redis } }, want: { state: { redis } } }]),
  ['a Redis from the environment', {
    given: { ...sound, state: { redis: { env: 'R' } } },
    environment: { R: `redis://:${HUSH}@localhost` },
    want: { state: { redis: `redis://:${HUSH}@localhost` } }
  }],
  // bcrypt counts bytes: an umlaut has 2, a rocket 4
  ...['k'.repeat(16), 'ü'.repeat(8), 'k'.repeat(72), 'ü'.repeat(36), '🚀'.repeat(18)].map((token): Row<object> =>
    [aKeyOf(token), { given: { ...sound, token }, want: { clients: [{ keys: [token] }] } }])
]

t.test('configurations that are accepted', async (t) => {
  for (const [name, { given, want, ...surroundings }] of accepted) {
    await t.test(name, async (t) => {
      t.match(load(t, given, surroundings), want)
    })
  }
})

const TOKEN_FORM = 'must be a string, {"env": "NAME"} or {"file": "path"}'
const NAME_FORM = 'must be a name of letters, digits, _ and -, beginning with a letter or digit'
const ADDRESS_FORM = 'must be HOST:PORT or :PORT'
const REDIS = 'must be redis://HOST:PORT or rediss://HOST:PORT, with the password percent-encoded'
const VISIBLE = 'must be one line of visible ASCII characters, without spaces'
const PROXY_FORM = 'must be an address or a network such as 10.0.0.0/8'
const HTTPS = 'must be https, except for loopback hosts'
const PLAIN_URL = 'must have no user, password, query or fragment'
const bytes = (has: number) => `must have 16 to 72 bytes (it has ${has})`

/** Pointer → what was expected there; all of them, and no others. */
type Faults = Record<string, string | RegExp>

const refused: Row<Faults>[] = [
  ...Object.entries({
    [`{"token": "${HUSH}", }`]: [1, 24, 'a name in double quotes is expected; no comma may stand before }'],
    [`{\n  "token": "${HUSH}"\n  "accounts": {}\n}`]: [3, 3, 'a comma is expected'],
    '{"a": [1,]}': [1, 10, 'a value is expected; no comma may stand before ]'],
    [`{\n  // ${HUSH}\n}`]: [2, 3, 'comments are not JSON: remove them'],
    [`# ${HUSH}\n{}`]: [1, 1, 'comments are not JSON: remove them'],
    [`{'token': '${HUSH}'}`]: [1, 2, 'names and strings need double quotes'],
    [`{"token": ${HUSH}}`]: [1, 11, 'this is neither a string in double quotes nor a number, true, false or null'],
    [`{"token": "${HUSH}`]: [1, 11, 'this string does not end on its line'],
    [`{"token": "${HUSH}"`]: [1, 22, 'a } is missing'],
    [`{"token": "C:\\d${HUSH}"}`]: [1, 11, 'in a string, write a backslash as \\\\'],
    [`{"token" "${HUSH}"}`]: [1, 10, 'a colon is expected'],
    [`{"token": "${HUSH}\t"}`]: [1, 11, 'in a string, write a tab as \\t'],
    '{} {}': [1, 4, 'nothing may follow the last }']
  }).map(([given, [line, column, message]]): Row<Faults> => [`not JSON: ${given}`, {
    given, want: { '': `is not valid JSON: line ${line}, column ${column}: ${message}` }
  }]),
  ['empty', { given: ' \n', want: { '': 'is not valid JSON: it is empty' } }],
  ['another encoding', {
    given: Buffer.from('{"a": "\xFC"}', 'latin1'), want: { '': 'is not valid JSON: it is not UTF-8' }
  }],
  ['names that are there twice', {
    given: `{"token": "${KEY}", "org": "\\": {\\"org\\":", "maxRequests": 0, "accounts": {` +
      `"demo": ${JSON.stringify(account)},\n "a/b": {}, "demo": {"id": {"id": 1}}}, "token": "${KEY}-2"}`,
    want: {
      '/token': /^is there twice, the second time in line 2, column \d+$/,
      '/accounts/demo': 'is there twice, the second time in line 2, column 13',
      '/accounts/demo/id': 'must be a string',
      '/accounts/demo/token': 'is required',
      '/accounts/a~1b': NAME_FORM,
      '/accounts/a~1b/id': 'is required',
      '/accounts/a~1b/token': 'is required',
      '/maxRequests': 'must be at least 1'
    }
  }],
  ['UTF-16', { given: '{\0}\0', want: { '': 'is not valid JSON: it is not UTF-8' } }],
  ...[`["${HUSH}"]`, `"${HUSH}"`, 'null', '1'].map((given): Row<Faults> =>
    [`${given[0]}… instead of an object`, { given, want: { '': 'must be an object' } }]),
  ['nothing in it', { given: {}, want: { '/accounts': 'is required', '/token': 'is required' } }],
  ['no account', { given: { ...sound, accounts: {} }, want: { '/accounts': 'must not be empty' } }],
  ['an account without anything', {
    given: { ...sound, accounts: { a: {} } }, want: { '/accounts/a/id': /required/, '/accounts/a/token': /required/ }
  }],
  ...['', null, 5, {}, { env: 'A', file: 'b' }].map((token): Row<Faults> =>
    [`the key ${JSON.stringify(token)}`, { given: { ...sound, token }, want: { '/token': TOKEN_FORM } }]),
  ['an unknown setting, its name escaped', {
    given: { ...sound, 'a/b~c': HUSH, logLevels: HUSH },
    want: { '/a~1b~0c': 'is not a setting', '/logLevels': 'is not a setting' }
  }],
  ['a misspelt setting of an account', {
    given: withAccount({ defaultVpc: HUSH }), want: { '/accounts/demo/defaultVpc': 'is not a setting' }
  }],
  ['faults inside an account with an odd name', {
    given: { ...sound, accounts: { 'a/b~c': { id: 5, token: HUSH } } },
    want: { '/accounts/a~1b~0c': NAME_FORM, '/accounts/a~1b~0c/id': 'must be a string' }
  }],
  ...['accounts', 'docs', 'metrics', 'openapi', 'ping', 'version'].map((name): Row<Faults> =>
    [`an account named ${name}`, {
      given: { ...sound, accounts: { [name]: account } },
      want: { [`/accounts/${name}`]: /^is a reserved name/ }
    }]),
  ...['', 'a b', 'openapi.json', '..', '-a', 'a'.repeat(129)].map((name): Row<Faults> =>
    [`an account named '${name.slice(0, 20)}'`, {
      given: { ...sound, accounts: { [name]: account } }, want: { [`/accounts/${name}`]: NAME_FORM }
    }]),
  ['an account named __proto__', {
    given: `{"accounts": {"__proto__": ${JSON.stringify(account)}}, "token": "${KEY}"}`,
    want: { '/accounts/__proto__': NAME_FORM }
  }],
  ['settings hidden in __proto__', {
    given: `{"__proto__": {}, "token": "${KEY}", "accounts": {"a": {"__proto__": {"id": "x", "token": "y"}}}}`,
    want: {
      '/__proto__': 'is not a setting',
      '/accounts/a/__proto__': 'is not a setting',
      '/accounts/a/id': 'is required',
      '/accounts/a/token': 'is required'
    }
  }],
  ['an id with an odd sign', { given: withAccount({ id: `${HUSH}&x=1` }), want: { '/accounts/demo/id': NAME_FORM } }],
  ...[-1, 601, '5', null].map((drainSeconds): Row<Faults> =>
    [`a drain of ${JSON.stringify(drainSeconds)} seconds`, {
      given: { ...sound, drainSeconds }, want: { '/drainSeconds': /^must be/ }
    }]),
  ['a load balancer that is a number', {
    given: { ...sound, trustedProxies: [10] }, want: { '/trustedProxies/0': 'must be a string' }
  }],
  ['load balancers that are no addresses, or everybody', {
    given: { ...sound, trustedProxies: [HUSH, '10', '10.0.0.0/33', '10.0.0.0/', '0.0.0.0/0', '::/0', '10.0.0.1'] },
    want: {
      ...Object.fromEntries([0, 1, 2, 3].map((index) => [`/trustedProxies/${index}`, PROXY_FORM])),
      ...Object.fromEntries([4, 5].map((index) => [`/trustedProxies/${index}`, 'must not be every address']))
    }
  }],
  ...Object.entries({
    'https://portal.example.org/': /as in https:\/\/portal\.example\.org$/,
    'https://Portal.example.org': /as in https:\/\/portal\.example\.org$/,
    'https://portal.example.org:443': /as in https:\/\/portal\.example\.org$/,
    'https://portal.example.org/path': /as in/,
    'portal.example.org': /such as/,
    '*': /such as/,
    null: /such as/,
    'file:///x': /such as/
  }).map(([origin, fault]): Row<Faults> =>
    [`the origin '${origin}'`, { given: { ...sound, cors: [origin] }, want: { '/cors/0': fault } }]),
  ...[0, 1.5, '10', null].map((maxRequests): Row<Faults> =>
    [`maxRequests ${maxRequests}`, { given: { ...sound, maxRequests }, want: { '/maxRequests': /^must be/ } }]),
  ['a level that is none', { given: { ...sound, logLevel: HUSH }, want: { '/logLevel': /^must be one of trace, debug/ } }],
  ...['8080', 'localhost', ':65536', ':99999', ':123456', ':', '::1:80', 'http://a:80', `${HUSH} :80`, '']
    .map((listenAddress): Row<Faults> =>
      [`the address '${listenAddress}'`, {
        given: { ...sound, listenAddress }, want: { '/listenAddress': ADDRESS_FORM }
      }]),
  ...Object.entries({
    'http://spot.example': HTTPS,
    'http://127.0.0.1.spot.example': HTTPS,
    'http://localhost.spot.example': HTTPS,
    'http://10.0.0.1': HTTPS,
    'ftp://spot.example': HTTPS,
    'file:///etc/passwd': HTTPS,
    [`https://user:${HUSH}@spot.example`]: PLAIN_URL,
    [`http://${HUSH}@localhost`]: PLAIN_URL,
    [`https://spot.example/?token=${HUSH}`]: PLAIN_URL,
    [HUSH]: 'must be a URL'
  }).map(([endpoint, fault]): Row<Faults> =>
    [`the endpoint ${endpoint}`, { given: withAccount({ endpoint }), want: { '/accounts/demo/endpoint': fault } }]),
  ...['k'.repeat(15), 'k'.repeat(73), `${'ü'.repeat(36)}k`, '🚀'.repeat(19)].map((token): Row<Faults> =>
    [aKeyOf(token), { given: { ...sound, token }, want: { '/token': bytes(Buffer.byteLength(token)) } }]),
  ...['change-me-to-a-long-random-key', '1234567890123456', 'xxxxxxxxxxxxxxxxxxxx'].map((token): Row<Faults> =>
    [`the key ${token}`, { given: { ...sound, token }, want: { '/token': /example key that everybody can read/ } }]),
  ['environment variables not set, empty, and on every object', {
    given: {
      token: { env: 'THE_KEY' },
      accounts: { a: { id: 'a', token: { env: 'E' } }, b: { id: 'b', token: { env: 'constructor' } } }
    },
    environment: { E: '' },
    want: {
      '/token': 'names the environment variable THE_KEY, which is not set',
      '/accounts/a/token': 'names the environment variable E, which is empty',
      '/accounts/b/token': 'names the environment variable constructor, which is not set'
    }
  }],
  ['secret files that are missing, empty or a folder', {
    given: {
      token: { file: 'nokey' },
      accounts: { a: { id: 'a', token: { file: 'e' } }, b: { id: 'b', token: { file: '.' } } }
    },
    files: { e: '\n' },
    want: {
      '/token': 'names the file nokey, which cannot be read (ENOENT)',
      '/accounts/a/token': 'names the file e, which is empty',
      '/accounts/b/token': 'names the file ., which cannot be read (EISDIR)'
    }
  }],
  ['a key in another encoding', {
    given: { ...sound, token: { file: 'key' } },
    files: { key: Buffer.from(`${KEY}\xFC`, 'latin1') },
    want: { '/token': 'names the file key, which is not UTF-8' }
  }],
  ...[HUSH, `https://${HUSH}`, `redis://:${HUSH}`, 'redis:///0', `redis://:${HUSH}%@a`].map((redis): Row<Faults> =>
    [`the Redis ${redis}`, { given: { ...sound, state: { redis } }, want: { '/state/redis': REDIS } }]),
  ...[`?password=${HUSH}`, `#${HUSH}`].map((rest): Row<Faults> =>
    [`a Redis with ${rest}`, {
      given: { ...sound, state: { redis: `redis://a${rest}` } }, want: { '/state/redis': /^must have no query/ }
    }]),
  ...['redis+sentinel://a:26379/mymaster', 'redis-sentinel://a', 'redis+cluster://a', 'redis://a:1,b:2', 'redis+socket:///r']
    .map((redis): Row<Faults> => [`several Redis, ${redis}`, {
      given: { ...sound, state: { redis } }, want: { '/state/redis': /^must name one Redis: Sentinel, Cluster/ }
    }]),
  ['a Redis with the name of a primary', {
    given: { ...sound, state: { redis: 'redis://a/mymaster' } }, want: { '/state/redis': /number of a database$/ }
  }],
  ...['', 5, null, {}].map((redis): Row<Faults> =>
    [`the Redis ${JSON.stringify(redis)}`, {
      given: { ...sound, state: { redis } }, want: { '/state/redis': TOKEN_FORM }
    }]),
  ['a Redis from a file that is not there', {
    given: { ...sound, state: { redis: { file: 'r' } } }, want: { '/state/redis': /names the file r.*ENOENT/ }
  }],
  ['a directory that is none', { given: { ...sound, state: { directory: 5 } }, want: { '/state/directory': /string/ } }],
  ['two places for state', {
    given: { ...sound, state: { directory: 'a', redis: 'redis://a' } }, want: { '/state': /not both$/ }
  }],
  ['state that is a text', { given: { ...sound, state: HUSH }, want: { '/state': 'must be an object' } }],
  ['a misspelt place for state', { given: { ...sound, state: { dir: HUSH } }, want: { '/state/dir': /not a setting/ } }],
  ['a token that no header can carry', {
    given: withAccount({ token: { file: 't' } }),
    files: { t: `${HUSH}\nsecond line\n` },
    want: { '/accounts/demo/token': VISIBLE }
  }],
  ['neither a key nor clients', { given: { accounts: { demo: account } }, want: { '/token': 'is required' } }],
  ['clients that lack something, or have too much', {
    given: {
      accounts: { demo: account },
      clients: [
        {}, { name: 'a b', key: [], accounts: [], access: 'all', expires: 5, more: HUSH },
        { name: 'x', key: [HUSH, KEY, KEY], accounts: ['*'], access: 'read' }
      ]
    },
    want: {
      ...Object.fromEntries(['name', 'key', 'accounts', 'access'].map((name) => [`/clients/0/${name}`, 'is required'])),
      '/clients/1/name': NAME_FORM,
      '/clients/1/key': 'must not be empty',
      '/clients/1/accounts': 'must not be empty',
      '/clients/1/access': 'must be one of read, write, admin',
      '/clients/1/expires': 'must be a string',
      '/clients/1/more': 'is not a setting',
      '/clients/2/key': 'must have at most 2 elements'
    }
  }],
  ['shape and meaning at once', {
    given: {
      listenAddress: 'nowhere',
      token: `${HUSH}-short`,
      maxRequests: '5',
      trustedProxies: [5, HUSH],
      accounts: {
        a: { id: 5, token: HUSH, endpoint: 'http://spot.example' },
        b: HUSH,
        c: { id: 'c', token: { env: 'MISSING' }, guardrails: { schema: { elastigroup: { maxmum: 1 } }, regions: 5 } }
      },
      clients: [
        5, { name: 'x', key: [KEY, 5], accounts: ['a', 'b', 'd'], access: 'all', expires: 'never' },
        { key: `${HUSH}-2`, accounts: 'a', access: 'read' }
      ],
      state: { redis: `http://${HUSH}`, directory: 5 }
    },
    want: {
      '/listenAddress': ADDRESS_FORM,
      '/token': bytes(15),
      '/maxRequests': 'must be a whole number',
      '/trustedProxies/0': 'must be a string',
      '/trustedProxies/1': PROXY_FORM,
      '/accounts/a/id': 'must be a string',
      '/accounts/a/endpoint': HTTPS,
      '/accounts/b': 'must be an object',
      '/accounts/c/token': /MISSING, which is not set/,
      '/accounts/c/guardrails/schema/elastigroup': /./,
      '/accounts/c/guardrails/regions': 'must be a list',
      '/clients/0': 'must be an object',
      '/clients/1/key/1': TOKEN_FORM,
      '/clients/1/accounts/2': 'is not an account in this file',
      '/clients/1/access': 'must be one of read, write, admin',
      '/clients/1/expires': /^must be a date/,
      '/clients/2/name': 'is required',
      '/clients/2/key': bytes(11),
      '/clients/2/accounts': 'must be a list',
      '/state': /not both$/,
      '/state/directory': 'must be a string'
    }
  }],
  ['clients that are in the way of each other', {
    given: {
      ...sound,
      clients: [
        { name: 'a', key: KEY, accounts: ['demo', 'dmeo'], access: 'read', expires: '2027-02-30' },
        { name: 'a', key: `${HUSH}-short`, accounts: ['*'], access: 'read', expires: '2027-13-01' },
        { name: 'default', key: [`${KEY}-2`, `${KEY}-2`], accounts: ['*'], access: 'admin' }
      ]
    },
    want: {
      '/clients/0/key': /used twice/,
      '/clients/0/accounts/1': 'is not an account in this file',
      '/clients/0/expires': /^must be a date/,
      '/clients/1/name': 'is the name of another client',
      '/clients/1/key': bytes(15),
      '/clients/1/expires': /^must be a date/,
      '/clients/2/name': 'is the name of another client',
      '/clients/2/key': /used twice/
    }
  }],
  ['guardrails that are none', {
    given: withAccount({ guardrails: { maxCapacity: '9', regions: [], tags: { 'aws:x': 'y', z: 1 }, spot: true } }),
    want: {
      '/accounts/demo/guardrails/maxCapacity': 'must be a whole number',
      '/accounts/demo/guardrails/regions': 'must not be empty',
      '/accounts/demo/guardrails/tags/aws:x': /not begin with aws:/,
      '/accounts/demo/guardrails/tags/z': 'must be a string',
      '/accounts/demo/guardrails/spot': 'is not a setting'
    }
  }],
  ...['stderr', {}, { file: '' }, null].map((audit): Row<Faults> =>
    [`the audit ${JSON.stringify(audit)}`, {
      given: { ...sound, audit },
      want: audit !== null && typeof audit === 'object' && !('file' in audit)
        ? { '/audit/file': 'is required' }
        : { [audit !== null && typeof audit === 'object' ? '/audit/file' : '/audit']: /must/ }
    }]),
  ['many things at once', {
    given: {
      ...withAccount({ token: `${HUSH} ü`, endpoint: `http://${HUSH}` }), listenAddress: HUSH, token: `${HUSH}-short`
    },
    want: {
      '/listenAddress': ADDRESS_FORM,
      '/token': bytes(15),
      '/accounts/demo/token': VISIBLE,
      '/accounts/demo/endpoint': HTTPS
    }
  }]
]

t.test('every error of a configuration says where it is and what was expected, but no value', async (t) => {
  for (const [name, { given, want, ...surroundings }] of refused) {
    await t.test(name, async (t) => {
      const { message, faults } = refusal(t, () => load(t, given, surroundings))
      t.match(Object.fromEntries(faults.map(({ pointer, message }) => [pointer, message])), want)
      t.strictSame(faults.map(({ pointer }) => pointer).sort(), Object.keys(want).sort(), 'nothing else, nothing twice')
      const [, ...lines] = message.split('\n')
      t.strictSame(lines, faults.map(({ pointer, message }) => `  ${pointer} ${message}`.replace(/^ +/, '  ')))
      t.notMatch(lines.join(), HUSH)
      t.notMatch(lines.join(), /NOT|must match|>=|<=|be (?:string|object|array|integer)/, 'in our words')
    })
  }
})

t.test('a configuration file that cannot be read', async (t) => {
  const folder = testDirectory(t)
  const faults = (file: string) => refusal(t, () => readConfiguration(file)).faults
  t.strictSame(faults(join(folder, 'none.json')), [{ pointer: '', message: 'no such file' }])
  t.strictSame(faults(folder), [{ pointer: '', message: 'cannot be read (EISDIR)' }])
})
