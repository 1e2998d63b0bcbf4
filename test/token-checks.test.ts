import { hashSync } from '@node-rs/bcrypt'
import t from 'tap'
import type { Failures } from '../services/access/failures.js'
import { failureLimit, tokens, type Refusal, type Verdict, type Verify } from '../services/access/tokens.js'
import { stopTime } from './clock.js'
import { KEY, startGateway } from './helper.js'
import { ADDRESSES, counts, from, tail, wrongTokens } from './tokens.js'

/**
 * Checks of tokens, and what they cost: `tried` has the keys that were verified, one for each bcrypt there would be.
 *
 * @param verify stands in for bcrypt
 */
function tokenCheck ({ keys = [KEY], tries = 4, verify = async () => true, failures = failureLimit() }: {
  keys?: string[] | string[][], tries?: number, verify?: Verify, failures?: Failures
} = {}) {
  const holders = keys.map((key, index) => ({ name: `holder-${index}`, keys: [key].flat() }))
  const tried: string[] = []
  const { check } = tokens(holders, {
    tries,
    failures,
    verify (key, token) {
      tried.push(key)
      return verify(key, token)
    }
  })
  const word = (verdict: Verdict<typeof holders[number]>) => typeof verdict === 'string' ? verdict : 'valid'
  return {
    tried,
    check (token: string | undefined, address?: string, name?: string, within?: number) {
      const verdict = check(token, { address, name, within })
      return verdict instanceof Promise ? verdict.then(word) : word(verdict)
    }
  }
}

/** Checks that stay under way until they are told to end. */
function heldChecks () {
  let end: (right: boolean) => void = () => {}
  const result = new Promise<boolean>((resolve) => { end = resolve })
  return { verify: () => result, end }
}

t.test('a token that cannot be a hash is refused at once, without bcrypt', async (t) => {
  const { check, tried } = tokenCheck()
  const others: [string, Refusal][] = [
    [`$2b$31$${tail}`, 'costly'], ['x'.repeat(15_000), 'malformed'], [`b0${tail}`, 'expanded'], [KEY, 'key-itself']
  ]
  for (const [token, refusal] of others) t.equal(check(token), refusal, 'the answer is no promise')
  t.strictSame(tried, [])
  t.equal(await check(`$2b$12$${tail}`), 'valid')
  t.strictSame(tried, [KEY], 'one that may be a hash is checked')
})

t.test('a token is checked once, then remembered', async (t) => {
  for (const [right, verdict] of [[true, 'valid'], [false, 'wrong']] as const) {
    const { check, tried } = tokenCheck({ verify: async () => right })
    for (const [index, token] of wrongTokens(3).entries()) {
      t.equal(await check(token), verdict)
      for (let i = 0; i < 300; i++) if (check(token) !== verdict) t.fail('the answer is not there at once')
      t.equal(tried.length, index + 1)
    }
  }
})

t.test('fifty requests at once with a new token make one check', async (t) => {
  const { verify, end } = heldChecks()
  const { check, tried } = tokenCheck({ verify })
  const [token, other] = wrongTokens(2) as [string, string]
  const fifty = Array.from({ length: 50 }, () => check(token))
  end(true)
  t.strictSame(new Set(await Promise.all(fifty)), new Set(['valid']))
  t.equal(tried.length, 1)
  await check(other)
  t.equal(tried.length, 2, 'another token has a check of its own')

  const gateway = await startGateway(t, {})
  const fresh = hashSync(KEY, 4)
  const replies = await Promise.all(Array.from({ length: 50 }, () =>
    gateway.request('GET', '/v1/spot/accounts', { token: fresh })))
  t.strictSame(new Set(replies.map(({ status }) => status)), new Set([200]))
})

t.test('more tokens than are remembered still work', async (t) => {
  const { check } = tokenCheck()
  const tokens = wrongTokens(1100)
  for (const token of tokens) if (await check(token) !== 'valid') t.fail('a right token is refused')
  t.equal(check(tokens.at(-1)), 'valid', 'the newest is remembered: its answer is there at once')
  const again = check(tokens[0])
  t.not(again, 'valid', 'the oldest is forgotten: it is checked again')
  t.equal(await again, 'valid')
})

t.test('at most two checks run at once, however many wait', async (t) => {
  let underWay = 0
  let most = 0
  const { check, tried } = tokenCheck({
    async verify () {
      most = Math.max(most, ++underWay)
      await new Promise((resolve) => setImmediate(resolve))
      underWay--
      return false
    }
  })
  const verdicts = await Promise.all(wrongTokens(20).map((token) => check(token)))
  t.strictSame(new Set(verdicts), new Set(['wrong']))
  t.equal(tried.length, 20)
  // The pool has four threads. On two processors only one check runs at a time.
  t.ok(most === 1 || most === 2, `at most ${most} checks ran at once`)
})

t.test('a wrong token costs at most keysTried checks, and only those of the client that it names', async (t) => {
  const keys = Array.from({ length: 50 }, (_, index) => `key-${index}`)
  const { check, tried } = tokenCheck({ keys, tries: 2, verify: async (key) => key === 'key-49' })
  const [first, second, third] = wrongTokens(3) as [string, string, string]
  t.equal(await check(first), 'wrong')
  t.strictSame(tried.splice(0), ['key-0', 'key-1'])
  t.equal(await check(second, '::1', 'holder-48'), 'wrong')
  t.strictSame(tried.splice(0), ['key-48'])
  t.equal(await check(third, '::1', 'holder-49'), 'valid')
  t.strictSame(tried.splice(0), ['key-49'])
})

t.test('of two hundred wrong tokens at once from one address, twenty are checked', async (t) => {
  const held = heldChecks()
  const { check, tried } = tokenCheck(held)
  const verdicts = wrongTokens(200).map((token) => check(token, '192.0.2.1'))
  t.equal(verdicts.filter((verdict) => verdict === 'limited').length, 180, 'before a check is done')
  held.end(false)
  t.strictSame(new Set(await Promise.all(verdicts)), new Set(['wrong', 'limited']))
  t.equal(tried.length, 20)
})

t.test('after too many wrong tokens an address has to wait with a new token, and all else goes on', async (t) => {
  const gateway = await startGateway(t, ADDRESSES)
  const ask = async (token: string, address: string) =>
    gateway.request('GET', '/v1/spot/accounts', { token, headers: from(address) })
  const [known, unknown] = [hashSync(KEY, 4), hashSync(KEY, 4)]
  t.equal((await ask(known, '192.0.2.1')).status, 200)

  const replies = await Promise.all(wrongTokens(25, '04').map((token) => ask(token, '192.0.2.1')))
  t.match(await counts(gateway), { valid: 1, wrong: 20, limited: 5, overloaded: 0 })
  const refused = replies.filter(({ status }) => status !== 401)
  t.equal(refused.length, 5)
  for (const { status, headers, json } of refused) {
    t.match([status, json.type], [429, /:too-many-failures$/])
    const seconds = Number(headers['retry-after'])
    t.ok(seconds > 0 && seconds <= 60, `${seconds} seconds to wait`)
  }

  t.equal((await ask(unknown, '192.0.2.1')).status, 429, 'a right token that is new there has to wait')
  t.equal((await ask(known, '192.0.2.1')).status, 200, 'one that is known passes')
  for (const token of ['garbage', `$2b$31$${tail}`, '', wrongTokens(1, '04')[0] as string]) {
    t.equal((await ask(token, '192.0.2.1')).status, 401, `${token.slice(0, 7)}… costs nothing: it keeps its hint`)
  }
  t.equal((await ask(unknown, '192.0.2.2')).status, 200, 'other addresses do not suffer')
  t.equal((await ask(unknown, '192.0.2.1')).status, 200, 'and what they showed to be right, is right')
})

t.test('valid tokens, and those that can be neither hash nor key, do not count as failures', async (t) => {
  let right = true
  const { check } = tokenCheck({ verify: async () => right })
  const tokens = wrongTokens(51)
  for (const token of tokens.splice(0, 30)) t.equal(await check(token, '::1'), 'valid')
  for (let i = 0; i < 30; i++) t.equal(check(`garbage ${i}`, '::1'), 'malformed')
  for (let i = 0; i < 30; i++) t.equal(check(`${i}`.repeat(80), '::1'), 'malformed')
  for (let i = 0; i < 30; i++) t.equal(check('the same text again and again', '::1'), 'malformed', 'but the first')
  right = false
  for (const token of tokens.splice(0, 19)) t.equal(await check(token, '::1'), 'wrong')
  t.equal(check(tokens[0], '::1'), 'limited')
})

t.test('guesses of a key count as failures, and after too many they are no longer compared', async (t) => {
  const { check } = tokenCheck({ keys: ['the first key of all', KEY] })
  t.equal(check(KEY, '192.0.2.1'), 'key-itself')
  for (let i = 1; i < 20; i++) t.equal(check(`a guess of the key, ${i}`, '192.0.2.1'), 'malformed')
  t.equal(check(KEY, '192.0.2.1'), 'malformed', 'nobody learns from there that it is the key')
  t.equal(check('the first key of all', '192.0.2.1'), 'malformed')
  t.equal(check(wrongTokens(1)[0], '192.0.2.1'), 'limited')
  t.equal(check(KEY, '192.0.2.2'), 'key-itself', 'from elsewhere it is')
})

t.test('neither time nor status tells which names exist', async (t) => {
  const keys = [['key-of-one'], ['first-of-two', 'second-of-two']]
  for (const name of ['holder-0', 'holder-1', 'nobody', '__proto__']) {
    const { check, tried } = tokenCheck({ keys, verify: async () => false })
    for (const [index, token] of wrongTokens(20).entries()) {
      t.equal(await check(token, '::1', name), 'wrong')
      t.equal(tried.length, 2 * (index + 1), `as many checks for ${name} as for the others`)
    }
    t.equal(check(wrongTokens(21)[20], '::1', name), 'limited')
  }
})

t.test('many tokens of one client do not push those of another out of memory', async (t) => {
  const [own = '', ...others] = wrongTokens(1100)
  const { check } = tokenCheck({
    keys: [KEY, 'another key'], verify: async (key, token) => (key === KEY) === (token === own)
  })
  t.equal(await check(own), 'valid')
  for (const token of others) if (await check(token) !== 'valid') t.fail('a right token is refused')
  t.equal(check(own), 'valid', 'its answer is there at once')
})

t.test('a check waits no longer than its request, and is then not made', async (t) => {
  const held = heldChecks()
  const { check, tried } = tokenCheck({ verify: held.verify, keys: [KEY, 'another key'] })
  const running = wrongTokens(2).map((token) => check(token, '192.0.2.1'))
  const { tick } = stopTime(t)
  const [, , , hasty, patient] = wrongTokens(5) as [string, string, string, string, string]
  const verdicts = [check(hasty, '192.0.2.2', undefined, 1000), check(patient, '192.0.2.2', undefined, 60_000)]
  const shared = check(hasty, '192.0.2.2', undefined, 2000)
  tick(1000)
  t.equal(await verdicts[0], 'overloaded')
  tick(1000)
  t.equal(await shared, 'overloaded', 'each waits for as long as it can')
  held.end(false)
  t.equal(await verdicts[1], 'wrong')
  t.strictSame(await Promise.all(running), ['wrong', 'wrong'])
  t.equal(tried.length, 6, 'what nobody waits for is not checked')
  for (let i = 0; i < 19; i++) check(wrongTokens(30)[10 + i], '192.0.2.2')
  t.equal(check(wrongTokens(30)[29], '192.0.2.2'), 'limited')
})

t.test('addresses with failures wait behind those without', async (t) => {
  const ends: (() => void)[] = []
  const { check, tried } = tokenCheck({
    keys: Array.from({ length: 8 }, (_, index) => `key-${index}`),
    tries: 8,
    verify: (key, token) => new Promise((resolve) => {
      ends.push(() => resolve(token === right && key === 'key-7'))
    })
  })
  const [right = '', ...wrong] = wrongTokens(201)
  const flood = wrong.map((token, index) => check(token, `192.0.2.${index % 10}`))
  const refused = flood.filter((verdict) => verdict === 'overloaded').length
  t.ok(refused > 160)
  const found: string[] = []
  Promise.resolve(check(right, '203.0.113.1')).then((verdict) => found.push(verdict))
  let steps = 0
  while (found.length === 0) {
    for (const end of ends.splice(0)) end()
    await new Promise((resolve) => setImmediate(resolve))
    steps++
  }
  t.strictSame(found, ['valid'])
  t.ok(steps <= 18, `it took the time of ${steps} checks, of which eight are its own`)
  t.ok(tried.length < 40)
  while (ends.length > 0) {
    for (const end of ends.splice(0)) end()
    await new Promise((resolve) => setImmediate(resolve))
  }
  const verdicts = await Promise.all(flood)
  t.equal(verdicts.filter((verdict) => verdict === 'overloaded').length, refused + 1, 'the last of them had to leave')
})

t.test('when too many checks wait, further ones are refused as overloaded, not as wrong', async (t) => {
  const held = heldChecks()
  const { check, tried } = tokenCheck({ verify: async (_, token) => token === known || held.verify() })
  const known = hashSync(KEY, 4)
  t.equal(await check(known), 'valid')
  const verdicts = wrongTokens(100).map((token, index) => check(token, `192.0.2.${index}`))
  const overloaded = verdicts.filter((verdict) => verdict === 'overloaded').length
  const waiting = 100 - overloaded
  t.ok(waiting === 33 || waiting === 34, `${waiting} are checked or wait for it: 32, and one or two that run`)
  t.equal(check(known), 'valid', 'a known token passes')
  held.end(false)
  await Promise.all(verdicts)
  t.equal(tried.length, 1 + waiting)
  t.equal(await check(wrongTokens(101).at(-1)), 'wrong', 'then it goes on')
})

t.test('a request that cannot wait for a check gets 503 and a Retry-After', async (t) => {
  const gateway = await startGateway(t, ADDRESSES)
  const ask = (token: string, address: string) =>
    gateway.request('GET', '/v1/spot/accounts', { token, headers: from(address) })
  // A check costs many times what a request does, however busy the machine is: a hundred requests come before 33 checks
  // are done.
  const replies = await Promise.all(wrongTokens(100, '09').map((token, i) => ask(token, `192.0.2.${i}`)))
  const refused = replies.filter(({ status }) => status !== 401)
  t.ok(refused.length > 0)
  for (const reply of refused) {
    t.match(reply, { status: 503, headers: { 'retry-after': '2' }, json: { type: /:overloaded$/ } })
  }
  t.match(await counts(gateway), { wrong: 100 - refused.length, overloaded: refused.length, limited: 0 })
  t.equal((await ask(hashSync(KEY, 4), '192.0.2.255')).status, 200, 'then it goes on')
})

t.test('no more than a thousand requests wait for one check', async (t) => {
  const { check } = tokenCheck()
  const ask = async (token: string) => {
    const results = await Promise.all(Array.from({ length: 1100 }, () => check(token)))
    return ['valid', 'overloaded'].map((wanted) => results.filter((result) => result === wanted).length)
  }
  const [first, second] = wrongTokens(2) as [string, string]
  for (const token of [first, second]) t.strictSame(await ask(token), [1000, 100])
})
