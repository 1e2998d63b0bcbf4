import { spawnSync } from 'node:child_process'
import { stat } from 'node:fs/promises'
import { connect } from 'node:net'
import { performance } from 'node:perf_hooks'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { hash, hashSync } from '@node-rs/bcrypt'
import t from 'tap'
import { networkOf } from '../services/tokens/failures.js'
import { failureLimit, tokens, type Refusal, type Verdict } from '../services/tokens/index.js'
import { KEY, start, startGateway, type Gateway } from './helper.js'

const GROUPS = '/v1/spot/demo/elastigroups'
const tail = 'abcdefghijklmnopqrstuABCDEFGHIJKLMNOPQRSTUVWXYZ012345'

/** What each refusal tells the caller to do. */
const hints: Record<Refusal, RegExp> = {
  missing: /spot-api token/,
  'key-itself': /Never send the key/,
  expanded: /single quotes/,
  costly: /cost 10/,
  malformed: /60 characters/,
  wrong: /your operator gave you/
}

/** Checks against one key; whoever has it is found `valid`. */
function tokenCheck (key: string) {
  const holder = { name: 'default', keys: [key] }
  const { check } = tokens([holder])
  const word = (verdict: Verdict<typeof holder>) => verdict === holder ? 'valid' : verdict
  return (token: string | undefined, address?: string) => {
    const verdict = check(token, address)
    return verdict instanceof Promise ? verdict.then(word) : word(verdict)
  }
}

/** Milliseconds that something takes. */
async function timed (work: () => unknown): Promise<number> {
  const from = performance.now()
  await work()
  return performance.now() - from
}

const median = (numbers: number[]) => numbers.sort((a, b) => a - b)[numbers.length >> 1] as number

/** How many token checks ended with each result so far. */
async function counts ({ request }: Gateway): Promise<Record<string, number>> {
  const { text } = await request('GET', '/v1/spot/metrics', { token: null })
  return Object.fromEntries([...text.matchAll(/^spot_api_auth_total\{result="([\w-]+)"\} (\d+)$/gm)]
    .map(([, result, count]) => [result, Number(count)]))
}

t.test('a bcrypt hash of the key opens the door', async (t) => {
  const gateway = await start(t)
  const tokens = await Promise.all((['2a', '2b', '2y'] as const).flatMap((version) =>
    [4, 10, 12].map(async (cost) => `$${version}${(await hash(KEY, cost)).slice(3)}`)))
  for (const time of ['first', 'second']) {
    await Promise.all(tokens.map(async (token) => {
      t.equal((await gateway.request('GET', GROUPS, { token })).status, 200, `${token.slice(0, 7)} the ${time} time`)
    }))
  }
  t.match(await counts(gateway), { valid: 18, wrong: 0, malformed: 0 })
})

t.test('whatever else is in the header is refused, with a hint that helps', async (t) => {
  const gateway = await startGateway(t, {})
  const table: [Refusal, (string | null)[]][] = [
    ['missing', [null, '']],
    ['key-itself', [KEY]],
    ['costly', ['00', '03', '13', '14', '31', '99'].map((cost) => `$2b$${cost}$${tail}`)],
    ['malformed', [
      ...['Bearer $2b$10$', '$2c$10$', '$2x$10$', '$2$10$', '$2b$1$', '$2b$100$', '2b$10$', '$2b$10']
        .map((beginning) => beginning + tail),
      ...['', '*', 'ü', '  ', 'xx'].map((end) => `$2b$10$${tail.slice(1)}${end}`),
      `$2b$10$${tail}, $2b$10$${tail}`, 'secret', '$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA', 'x'.repeat(8000)
    ]],
    ['wrong', [
      `$2b$04$${tail}`,
      ...['', ' ', `${KEY}\n`, ` ${KEY}`, KEY.slice(0, -1), KEY.toUpperCase()].map((key) => hashSync(key, 4))
    ]]
  ]
  for (const [result, tokens] of table) {
    for (const token of tokens) {
      const { status, headers, json } = await gateway.request('GET', GROUPS, { token })
      t.equal(status, 401)
      t.match(json, { type: /:unauthenticated$/, hint: hints[result] }, `${token?.slice(0, 20)}… is ${result}`)
      t.equal(headers['www-authenticate'], 'ApiKey header="X-Auth-Token"')
    }
  }
  t.strictSame(await counts(gateway), {
    valid: 0,
    expired: 0,
    expanded: 0,
    limited: 0,
    overloaded: 0,
    ...Object.fromEntries(table.map(([result, tokens]) => [result, tokens.length]))
  })
  t.notMatch(gateway.log.join('\n'), /\$2b|a-key-for-tests/, 'no token is logged')
})

const skip = spawnSync('bash', ['--version']).error ? 'there is no bash' : false

t.test('a hash that a shell expanded inside double quotes is recognised', { skip }, async (t) => {
  const { request } = await startGateway(t, {})
  const beginnings = ['$2a$10$', '$2b$10$', '$2y$10$', '$2b$11$', '$2b$12$', '$2b$04$', '$2y$05$']
  const tokens = [
    ...beginnings.flatMap((beginning) => ['a', '.', '/', '7'].map((salt) => beginning + salt + tail.slice(1))),
    ...[4, 10, 10, 10].map((cost) => hashSync(KEY, cost))
  ]
  for (const token of tokens) {
    const expanded = spawnSync('bash', ['-c', `printf %s "${token}"`], { encoding: 'utf8' }).stdout
    const { status, json } = await request('GET', GROUPS, { token: expanded })
    t.equal(status, 401)
    t.match(json, { detail: /dollar/, hint: hints.expanded }, `${token.slice(0, 12)}… became ${expanded.slice(0, 12)}…`)
  }
})

t.test('what is public needs no token, and minds no wrong one', async (t) => {
  const { request } = await startGateway(t, {})
  const paths = ['ping', 'version', 'metrics', 'openapi.json', 'openapi.yaml', 'docs', 'docs/static/swagger-ui.css']
  for (const path of paths) {
    for (const token of [null, 'garbage', `$2b$31$${tail}`]) {
      t.equal((await request('GET', `/v1/spot/${path}`, { token })).status, 200, path)
    }
  }
})

t.test('the token comes before everything else about a request', async (t) => {
  const { request, url } = await startGateway(t, {})
  const table: [string, string, unknown?][] = [
    ['GET', '/v1/spot/nobody/elastigroups'],
    ['GET', '/v1/spot/-/elastigroups'],
    ['GET', `${GROUPS}/sig-1/costs?start=never&who=me`],
    ['POST', GROUPS, '{"not": json'],
    ['POST', GROUPS],
    ['PUT', `${GROUPS}/sig-1`, []],
    ['DELETE', '/v1/spot/demo/instances/smi-1?shouldDeleteEverything=1']
  ]
  for (const [method, path, body] of table) {
    t.equal((await request(method, path, { token: `$2b$14$${tail}`, body })).status, 401, `${method} ${path}`)
  }

  for (const length of [1_000, 1_000_000_000]) {
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    t.teardown(() => socket.destroy())
    socket.write(`POST ${GROUPS} HTTP/1.1\r\nHost: spot\r\nContent-Length: ${length}\r\n\r\n`)
    const [answer] = await new Promise<Buffer[]>((resolve) => socket.once('data', (chunk) => resolve([chunk])))
    t.match(answer?.toString(), /^HTTP\/1\.1 401 /, `the answer does not wait for ${length} bytes`)
  }
})

t.test('what can not be a hash costs no bcrypt', async (t) => {
  const check = tokenCheck(KEY)
  const genuine = await timed(async () => t.equal(await check(hashSync(KEY, 10)), 'valid')) / 2
  const others: [string, Refusal][] = [
    [`$2b$31$${tail}`, 'costly'], ['x'.repeat(15_000), 'malformed'], [`b0${tail}`, 'expanded'], [KEY, 'key-itself']
  ]
  for (const [token, result] of others) {
    const all = await timed(async () => {
      for (let i = 0; i < 200; i++) if (await check(token) !== result) t.fail()
    })
    t.ok(all < 2 * genuine, `200 ${result} took ${all.toFixed(1)} ms, one genuine ${genuine.toFixed(1)} ms`)
  }
})

t.test('a token is checked once, then remembered', async (t) => {
  const check = tokenCheck(KEY)
  const first: number[] = []
  const later: number[] = []
  for (const token of await Promise.all([1, 2, 3].map(() => hash(KEY, 10)))) {
    first.push(await timed(() => check(token)))
    for (let i = 0; i < 300; i++) later.push(await timed(() => check(token)))
  }
  const [before, after] = [median(first), median(later)]
  t.ok(before > 100 * after, `${before.toFixed(1)} ms at first, ${after.toFixed(4)} ms later`)
})

t.test('fifty requests that bring a new token at once make one check', async (t) => {
  const { request } = await startGateway(t, {})
  // The account is looked up after the token, and asks nothing of Spot.
  const ask = async (token: string) => {
    const { json } = await request('GET', '/v1/spot/nobody/elastigroups', { token })
    t.match(json.type, /:account-not-found$/)
  }
  const tokens = await Promise.all([1, 2, 3].map(() => hash(KEY, 11)))
  await ask(tokens[0] as string)
  const one = await timed(() => ask(tokens[1] as string))
  const fifty = await timed(() => Promise.all(Array.from({ length: 50 }, () => ask(tokens[2] as string))))
  t.ok(fifty < 5 * one, `fifty took ${fifty.toFixed()} ms, one ${one.toFixed()} ms`)
})

t.test('more tokens than are remembered still open the door', async (t) => {
  const check = tokenCheck(KEY)
  const tokens = await Promise.all(Array.from({ length: 1100 }, () => hash(KEY, 4)))
  for (const token of tokens) if (await check(token) !== 'valid') t.fail('a right token is refused')
  t.equal(check(tokens.at(-1)), 'valid', 'the newest is remembered: its answer is there at once')
  const again = check(tokens[0])
  t.not(again, 'valid', 'the oldest is forgotten: it is checked again')
  t.equal(await again, 'valid')
})

t.test('checks leave threads for others, however many wait', async (t) => {
  const check = tokenCheck(KEY)
  const token = hashSync('another key', 11)
  const one = await timed(() => check(token))
  const all = [...'abcdef'].map((sign) => check(token.slice(0, 40) + sign + token.slice(41)))
  await setImmediate()
  const other = await timed(() => stat('.'))
  t.ok(other < one / 2, `a file was looked at in ${other.toFixed(1)} ms, a check takes ${one.toFixed(1)} ms`)
  t.strictSame(new Set(await Promise.all(all)), new Set(['wrong']))
})

/** Different hashes of no key we know. Salt and hash end in `.`: other ends may mean nothing, and cost no bcrypt. */
const wrongTokens = (count: number, cost = '10') =>
  Array.from({ length: count }, (_, i) => `$2b$${cost}$${tail.slice(0, 21)}.${String(i).padEnd(31, '.')}`)

const ADDRESSES = { configuration: { trustedProxies: ['127.0.0.0/8'] } }
const from = (address: string) => ({ 'x-forwarded-for': address })

t.test('a wrong token is checked once, then remembered', async (t) => {
  const check = tokenCheck(KEY)
  const [token] = wrongTokens(1) as [string]
  const first = await timed(async () => t.equal(await check(token), 'wrong'))
  const later: number[] = []
  for (let i = 0; i < 300; i++) later.push(await timed(() => check(token)))
  t.equal(check(token), 'wrong', 'its answer is there at once')
  t.ok(first > 100 * median(later), `${first.toFixed(1)} ms at first, ${median(later).toFixed(4)} ms later`)
})

t.test('of two hundred wrong tokens at once from one address, twenty are checked', async (t) => {
  const gateway = await startGateway(t, ADDRESSES)
  const ask = async (token: string, address: string) =>
    gateway.request('GET', '/v1/spot/accounts', { token, headers: from(address) })
  const [known, unknown] = [hashSync(KEY, 4), hashSync(KEY, 4)]
  t.equal((await ask(known, '192.0.2.1')).status, 200)

  const replies = await Promise.all(wrongTokens(200).map((token) => ask(token, '192.0.2.1')))
  t.match(await counts(gateway), { valid: 1, wrong: 20, limited: 180, overloaded: 0 })
  const refused = replies.filter(({ status }) => status !== 401)
  for (const { status, headers, json } of refused) {
    t.match([status, json.type], [429, /:too-many-failures$/])
    const seconds = Number(headers['retry-after'])
    t.ok(seconds > 30 && seconds <= 60, `${seconds} seconds to wait`)
  }

  t.equal((await ask(unknown, '192.0.2.1')).status, 429, 'a right token that is new there has to wait')
  t.equal((await ask(known, '192.0.2.1')).status, 200, 'one that is known passes')
  for (const token of ['garbage', `$2b$31$${tail}`, '', wrongTokens(1)[0] as string]) {
    t.equal((await ask(token, '192.0.2.1')).status, 401, `${token.slice(0, 7)}… costs nothing: it keeps its hint`)
  }
  t.equal((await ask(unknown, '192.0.2.2')).status, 200, 'other addresses do not suffer')
  t.equal((await ask(unknown, '192.0.2.1')).status, 200, 'and what they showed to be right, is right')
})

t.test('right tokens and those that can not be hashes do not count as failures', async (t) => {
  const check = tokenCheck(KEY)
  for (const token of Array.from({ length: 30 }, () => hashSync(KEY, 4))) t.equal(await check(token, '::1'), 'valid')
  for (let i = 0; i < 30; i++) t.equal(check(`garbage ${i}`, '::1'), 'malformed')
  for (const token of wrongTokens(20, '04')) t.equal(await check(token, '::1'), 'wrong')
  t.equal(check(hashSync(KEY, 4), '::1'), 'limited')
})

t.test('failures are forgotten after a while, which begins with the first', async (t) => {
  const failures = failureLimit({ failures: 2, time: 200 })
  failures.expect('::1')
  await sleep(100)
  failures.expect('::1')
  t.equal(failures.secondsLeft('::1'), 1)
  await sleep(150)
  t.equal(failures.secondsLeft('::1'), 0)
})

t.test('no flood of addresses fills the memory', async (t) => {
  const failures = failureLimit({ failures: 1, time: 60_000 })
  for (let i = 0; i <= 10_000; i++) failures.expect(`10.0.${i >> 8}.${i & 255}`)
  t.equal(failures.secondsLeft('10.0.0.0'), 0, 'the oldest is forgotten')
  t.not(failures.secondsLeft('10.0.0.1'), 0)
})

t.test('who an address belongs to', async (t) => {
  for (const [address, network] of [
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:C000:0201', '192.0.2.1'],
    ['2001:db8:1:2::1', networkOf('2001:db8:1:2:ffff:ffff:ffff:ffff')],
    ['fe80::1%eth0', networkOf('fe80::2')],
    ['unknown', networkOf('192.0.2.1:443')],
    ['', networkOf('x'.repeat(8000))]
  ] as const) t.equal(networkOf(address), network, address)
  t.not(networkOf('2001:db8:1:2::1'), networkOf('2001:db8:1:3::1'))
})

t.test('the word of a load balancer about the address counts only where it is trusted', async (t) => {
  for (const [trustedProxies, want] of [[[], 429], [['::1'], 429], [['127.0.0.1'], 401]] as const) {
    const { request } = await startGateway(t, { configuration: { trustedProxies: [...trustedProxies] } })
    const statuses: number[] = []
    for (const [i, token] of wrongTokens(21, '04').entries()) {
      statuses.push((await request('GET', GROUPS, { token, headers: from(`192.0.2.${i}`) })).status)
    }
    t.equal(statuses.pop(), want, `trusted are ${JSON.stringify(trustedProxies)}`)
    t.strictSame(new Set(statuses), new Set([401]))
    const headers = from('203.0.113.9, 192.0.2.0')
    const { status } = await request('GET', GROUPS, { token: `$2b$04$${tail}`, headers })
    t.equal(status, want, 'what callers write there themselves does not')
  }
})

t.test('more checks than can wait are refused, not called wrong', async (t) => {
  const gateway = await startGateway(t, ADDRESSES)
  const ask = (token: string, address = '192.0.2.255') =>
    gateway.request('GET', '/v1/spot/accounts', { token, headers: from(address) })
  const known = hashSync(KEY, 4)
  t.equal((await ask(known)).status, 200)
  const flood = wrongTokens(100).map((token, i) => ask(token, `192.0.2.${i}`))
  const refused = await Promise.race(flood)
  t.match(refused, { status: 503, headers: { 'retry-after': '2' }, json: { type: /:overloaded$/ } })
  t.equal((await ask(known)).status, 200, 'a known token passes')
  t.ok((await counts(gateway)).wrong as number < 33, 'before the checks are done')
  await Promise.all(flood)
  const { wrong = 0, overloaded = 0, limited } = await counts(gateway)
  t.strictSame([wrong + overloaded, limited], [100, 0])
  t.ok(wrong >= 33 && overloaded > wrong / 2, `${wrong} were checked, ${overloaded} not`)
  t.equal((await ask(hashSync(KEY, 4))).status, 200, 'then it goes on')
})

t.test('no more than a thousand requests wait for checks', async (t) => {
  const check = tokenCheck(KEY)
  const ask = async (token: string) => {
    const results = await Promise.all(Array.from({ length: 1100 }, () => check(token)))
    return ['valid', 'overloaded'].map((wanted) => results.filter((result) => result === wanted).length)
  }
  for (const time of ['once', 'and again']) t.strictSame(await ask(hashSync(KEY, 8)), [1000, 100], time)
})
