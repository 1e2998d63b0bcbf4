import { spawnSync } from 'node:child_process'
import { connect } from 'node:net'
import { hash, hashSync } from '@node-rs/bcrypt'
import t from 'tap'
import type { Refusal } from '../services/access/tokens.js'
import { KEY, start, startGateway } from './helper.js'
import { ADDRESSES, counts, from, tail } from './tokens.js'

const GROUPS = '/v1/spot/demo/elastigroups'
const skip = spawnSync('bash', ['--version']).error ? 'there is no bash' : false

/** What each refusal tells the caller to do. */
const hints: Record<Refusal, RegExp> = {
  missing: /spot-api token/,
  'key-itself': /Never send the key/,
  expanded: /single quotes/,
  costly: /cost 10/,
  malformed: /60 characters/,
  wrong: /your operator gave you/
}

t.test('a bcrypt hash of the key is a valid token', async (t) => {
  const gateway = await start(t)
  const forms = [['2a', 4], ['2b', 4], ['2y', 4], ['2a', 10], ['2b', 10], ['2y', 12]] as const
  const tokens = await Promise.all(forms.map(async ([version, cost]) =>
    `$${version}${(await hash(KEY, cost)).slice(3)}`))
  for (const time of ['first', 'second']) {
    await Promise.all(tokens.map(async (token) => {
      t.equal((await gateway.request('GET', '/v1/spot/accounts', { token })).status, 200,
        `${token.slice(0, 7)} the ${time} time`)
    }))
  }
  t.match(await counts(gateway), { valid: 12, wrong: 0, malformed: 0 })
})

t.test('anything else in the header is refused, with a hint', async (t) => {
  const gateway = await startGateway(t, ADDRESSES)
  let address = 0
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
      const { status, headers, json } = await gateway.request('GET', GROUPS, {
        token, headers: from(`192.0.2.${address++}`)
      })
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

t.test('a hash that a shell expanded inside double quotes is recognised', { skip }, async (t) => {
  const { request } = await startGateway(t, {})
  const beginnings = ['$2a$10$', '$2b$10$', '$2y$10$', '$2b$11$', '$2b$12$', '$2b$04$', '$2y$05$']
  const tokens = [
    ...beginnings.flatMap((beginning) => ['a', '.', '/', '7'].map((salt) => beginning + salt + tail.slice(1))),
    ...['04', '10', '10', '10'].map((cost) => `$2b$${cost}${hashSync(KEY, 4).slice(6)}`)
  ]
  const quoted = tokens.map((token) => `"${token}"`).join(' ')
  const lines = spawnSync('bash', ['-c', `printf '%s\\n' ${quoted}`], { encoding: 'utf8' }).stdout.split('\n')
  for (const [index, token] of tokens.entries()) {
    const expanded = lines[index] ?? ''
    const { status, json } = await request('GET', GROUPS, { token: expanded })
    t.equal(status, 401)
    t.match(json, { detail: /dollar/, hint: hints.expanded }, `${token.slice(0, 12)}… became ${expanded.slice(0, 12)}…`)
  }
})

t.test('public paths need no token, and ignore a wrong one', async (t) => {
  const { request } = await startGateway(t, {})
  const paths = ['ping', 'version', 'metrics', 'openapi.json', 'openapi.yaml', 'docs', 'docs/static/swagger-ui.css']
  for (const path of paths) {
    for (const token of [null, 'garbage', `$2b$31$${tail}`]) {
      t.equal((await request('GET', `/v1/spot/${path}`, { token })).status, 200, path)
    }
  }
})

t.test('the token is checked before everything else of a request', async (t) => {
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
