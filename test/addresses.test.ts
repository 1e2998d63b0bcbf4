import t from 'tap'
import { networkOf } from '../services/access/failures.js'
import { trusting } from '../services/access/proxies.js'
import { failureLimit } from '../services/access/tokens.js'
import { startGateway } from './helper.js'
import { from, tail, wrongTokens } from './tokens.js'

/* Whose failures count together: by the address that a caller has, or that a trusted proxy reports. */

const GROUPS = '/v1/spot/demo/elastigroups'

t.test('failures are forgotten a set time after the first', async (t) => {
  let now = 1000
  const failures = failureLimit({ failures: 2, time: 60_000 }, { now: () => now })
  failures.expect('::1')
  now += 30_000
  failures.expect('::1')
  t.equal(failures.secondsLeft('::1'), 30)
  now += 29_001
  t.equal(failures.secondsLeft('::1'), 1)
  now += 1000
  t.equal(failures.secondsLeft('::1'), 0)
})

t.test('failures of at most 10,000 addresses are remembered', async (t) => {
  const failures = failureLimit({ failures: 1, time: 60_000 })
  for (let i = 0; i <= 10_000; i++) failures.expect(`10.0.${i >> 8}.${i & 255}`)
  t.equal(failures.secondsLeft('10.0.0.0'), 0, 'the oldest is forgotten')
  t.not(failures.secondsLeft('10.0.0.1'), 0)
})

t.test('addresses of one IPv6 network, and those with a port, count as one', async (t) => {
  for (const [address, network] of [
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:C000:0201', '192.0.2.1'],
    ['2001:db8:1:2::1', networkOf('2001:db8:1:2:ffff:ffff:ffff:ffff')],
    ['fe80::1%eth0', networkOf('fe80::2')],
    ['192.0.2.1:443', '192.0.2.1'],
    [' 192.0.2.1:1 ', '192.0.2.1'],
    ['[2001:db8:1:2::1]:443', networkOf('2001:db8:1:2::2')],
    ['[2001:db8:1:2::1]', networkOf('2001:db8:1:2::2')],
    ['x'.repeat(100), networkOf('x'.repeat(8000))]
  ] as const) t.equal(networkOf(address), network, address)
  const others = ['unknown', '', '_hidden', '192.0.2.1:x', '[192.0.2.1', '1.2.3.4.5:6', ':443']
  t.equal(new Set(others.map(networkOf)).size, others.length, 'what is no address is nobody else')
  t.not(networkOf('2001:db8:1:2::1'), networkOf('2001:db8:1:3::1'))
})

t.test('trustedProxies: which addresses are trusted, whatever port they report', async (t) => {
  t.equal(trusting([]), false)
  const proxies = ['10.0.0.0/8', '192.0.2.1', '2001:db8::/32', '::ffff:172.16.0.0/108']
  const trusts = trusting(proxies) as (address: string) => boolean
  for (const address of [
    '10.1.2.3', '10.1.2.3:4711', '::ffff:10.1.2.3', '192.0.2.1', '2001:db8::1', '[2001:db8::1]:443', '172.31.0.1'
  ]) t.ok(trusts(address), address)
  for (const address of ['11.1.2.3', '192.0.2.2', '2001:db9::1', '::1', 'unknown', '', '172.32.0.1', '10.1.2.3:x']) {
    t.notOk(trusts(address), address)
  }
  const configuration = { trustedProxies: ['127.0.0.1', '10.0.0.0/8'] }
  const { request } = await startGateway(t, { configuration })
  for (const [i, token] of wrongTokens(21, '04').entries()) {
    const headers = from(`192.0.2.${i}:4711, 10.0.0.5:1234`)
    t.equal((await request('GET', GROUPS, { token, headers })).status, 401, 'callers are told apart')
  }
})

t.test('X-Forwarded-For counts only from trusted proxies', async (t) => {
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
