import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { startSandbox, type Fault, type Sandbox } from '../sandbox/index.js'
import { ask as askAs, group, groups, spotHas, type Asked } from './caller.js'
import { KEY, startGateway, TOKEN } from './helper.js'
import { noRedis, startRedis } from './redis.js'
import { serverProcess } from './server-process.js'
import { until } from './until.js'

/* Creates against a Spot that loses every third one, by callers that try again. `npm run chaos` has the long forms. */

const FULL = process.env.CHAOS === 'full'
const CREATES = FULL ? 1000 : 30
const KILLS = FULL ? 200 : 2
const UNKEYED = FULL ? 10_000 : 60
const AT_ONCE = 20

const account = { id: 'act-5a9db0c5', token: 'vendor-token-for-tests' }

const lossy: Fault[] = ([
  { kind: 'reset', commit: 'first', probability: 0.10 },
  { status: 504, commit: 'first', probability: 0.10 },
  { kind: 'hang', commit: 'first', probability: 0.05 },
  { kind: 'reset', probability: 0.05 },
  { kind: 'reset', commit: 'late', lateBy: 100, probability: 0.03 },
  { kind: 'truncated', probability: 0.03 }
] satisfies Fault[]).map((fault) => ({ ...fault, times: Infinity }))

const writes = (faults: Fault[]) => ['POST', 'PUT'].flatMap((method) => faults.map((fault) => ({ ...fault, method })))

/** Seconds: a hung call costs a caller the first, and no work takes it, on any machine. */
const WRITE = 2
const SETTLE = 0.5

async function startSpot (t: Test): Promise<Sandbox> {
  const sandbox = await startSandbox({ accounts: [account], seed: false, rateLimit: Infinity })
  t.teardown(() => sandbox.close())
  return sandbox
}

/** A server in this process, in front of such a Spot. @returns its address */
async function startServer (t: Test, sandbox: Sandbox, state?: { redis: string }): Promise<string> {
  const { url } = await startGateway(t, {
    endpoint: sandbox.url,
    configuration: {
      logLevel: 'warn', deadlines: { read: 10_000, write: WRITE * 1000 }, settle: SETTLE * 1000, ...state && { state }
    }
  })
  return url
}

const ask = (url: string, ...request: [method: string, path: string, body: object, key?: string]) =>
  askAs({ url, token: TOKEN }, ...request)

/**
 * Rests before a request is sent again, as callers do: as long as the answer says, and a little, so that they do not
 * all come at once. Without it they would burn the time that a claim needs to run out.
 */
const rest = ({ retryAfter }: Asked) => sleep(retryAfter * 1000 + 100 * Math.random())

/** An address, once somebody listens there. */
type Soon = string | Promise<string>

/** Asks until it is answered with a 201, or so many times. */
async function persist (url: () => Soon, name: string, key?: string, tries = Infinity): Promise<Asked> {
  for (let asked = 1; ; asked++) {
    const answer = await ask(await url(), 'POST', groups, group(name), key)
    if (answer.status === 201 || asked === tries) return answer
    await rest(answer)
  }
}

/** Does all the work, so many pieces at once. */
async function together<T, R> (pieces: T[], work: (piece: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  const queue = pieces.entries()
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (const [index, piece] of queue) results[index] = await work(piece)
  }))
  return results
}

/**
 * After the storm: each name is asked for until its outcome is known. It must be one group then, the one that the
 * callers were answered with.
 */
async function reckon (t: Test, sandbox: Sandbox, url: () => Soon, names: string[], answers: Asked[]) {
  const duplicatesThen = [...(await spotHas(sandbox.url, account)).values()].filter(({ length }) => length > 1).length
  sandbox.faults.clear()
  const ends = await together(names, (name) => persist(url, name, `key-of-${name}`))
  const has = await spotHas(sandbox.url, account)
  const duplicates = names.filter((name) => (has.get(name)?.length ?? 0) > 1).length
  const lost = names.filter((name) => !has.has(name)).length
  const answered = answers.filter(({ status }) => status === 201).length
  t.comment(`${names.length} creates, ${answered} answered 201 within 4 tries, the rest later: ` +
    `${duplicates} duplicates, ${lost} lost`)
  t.strictSame({ duplicatesThen, duplicates, lost }, { duplicatesThen: 0, duplicates: 0, lost: 0 })
  const strays = names.filter((name, index) => ends[index]?.body.id !== has.get(name)?.[0])
  t.strictSame(strays, [], 'each has its group')
  const changed = names.filter((_, index) =>
    answers[index]?.status === 201 && answers[index].body.id !== ends[index]?.body.id)
  t.strictSame(changed, [], 'what was answered before still holds')
}

const named = (count: number) => Array.from({ length: count }, (_, index) => `group-${index}`)

t.test('callers that try again without a key make duplicates', async (t) => {
  const sandbox = await startSpot(t)
  const url = await startServer(t, sandbox)
  for (const fault of writes(lossy)) sandbox.faults.inject(fault)
  await together(named(40), (name) => persist(() => url, name, undefined, 4))
  const duplicates = [...(await spotHas(sandbox.url, account)).values()].filter(({ length }) => length > 1).length
  t.comment(`40 creates: ${duplicates} duplicates`)
  t.ok(duplicates > 0, 'which shows that the faults are real')
})

t.test('callers that try again with a key make no duplicates', async (t) => {
  const sandbox = await startSpot(t)
  const url = await startServer(t, sandbox)
  for (const fault of writes(lossy)) sandbox.faults.inject(fault)
  const names = named(CREATES)
  const answers = await together(names, (name) => persist(() => url, name, `key-of-${name}`, 4))
  await reckon(t, sandbox, () => url, names, answers)
})

t.test('callers that try again with a key make no duplicates when the server is killed again and again', async (t) => {
  const sandbox = await startSpot(t)
  const gateway = await serverProcess(t, {
    token: KEY,
    logLevel: 'warn',
    accounts: { demo: { ...account, endpoint: sandbox.url } },
    deadlines: { writeSeconds: WRITE },
    settleSeconds: SETTLE,
    drainSeconds: 0
  })
  for (const fault of writes(lossy)) sandbox.faults.inject(fault)
  let started = gateway.start()
  const url = async () => {
    await started
    return gateway.url
  }
  let next = 0
  const storm = { over: false }
  const names: string[] = []
  const answers: Asked[] = []
  const calling = Promise.all(Array.from({ length: 8 }, async () => {
    while (!storm.over) {
      const index = next++
      names[index] = `group-${index}`
      answers[index] = await persist(url, `group-${index}`, `key-of-group-${index}`, 4)
    }
  }))
  for (let kill = 0; kill < KILLS; kill++) {
    await started
    sandbox.transcript.length = 0
    const posts = 1 + Math.floor(10 * Math.random())
    await until(() => sandbox.transcript.filter(({ method }) => method === 'POST').length >= posts)
    started = gateway.kill('SIGKILL').then(() => gateway.start())
  }
  storm.over = true
  await calling
  t.comment(`killed ${KILLS} times`)
  await reckon(t, sandbox, url, names, answers)
})

t.test('callers with a key make no duplicates with two servers on one Redis', { skip: noRedis }, async (t) => {
  const sandbox = await startSpot(t)
  const state = { redis: (await startRedis(t)).url }
  const urls = [await startServer(t, sandbox, state), await startServer(t, sandbox, state)]
  let turn = 0
  const anyOf = () => urls[turn++ % 2] as string

  for (const fault of writes(lossy)) sandbox.faults.inject(fault)
  const names = named(CREATES)
  const answers = await together(names, (name) => persist(anyOf, name, `key-of-${name}`, 4))
  await reckon(t, sandbox, anyOf, names, answers)
})

t.test('a write without a key reaches Spot at most once, whatever happens to it', async (t) => {
  const sandbox = await startSpot(t)
  const url = await startServer(t, sandbox)
  const { path: kept } = await persist(() => url, 'kept')
  await ask(url, 'PUT', kept, { description: 'kept' })
  sandbox.transcript.length = 0
  for (const fault of writes(lossy)) sandbox.faults.inject(fault)

  const delivered = new Map<string, number>()
  const count = () => {
    for (const { method, body } of sandbox.transcript.splice(0)) {
      if (method === 'GET') continue
      const { description } = (body as { group: { description: string } }).group
      delivered.set(description, (delivered.get(description) ?? 0) + 1)
    }
  }
  const statuses = new Map<number, number>()
  await together(Array.from({ length: UNKEYED }, (_, index) => index), async (index) => {
    const description = `call-${index}`
    for (;;) {
      const answer = index % 2 === 0
        ? await ask(url, 'POST', groups, { ...group('x'), description })
        : await ask(url, 'PUT', kept, { description })
      const { status } = answer
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
      if (status !== 503) break // which says that nothing was sent: a caller may repeat that
      await rest(answer)
    }
    if (index % 500 === 0) count()
  })
  count()
  const most = Math.max(...delivered.values())
  t.comment(`${UNKEYED} writes, ${delivered.size} delivered, none more than ${most} time(s); ` +
    `answers ${JSON.stringify(Object.fromEntries(statuses))}`)
  t.equal(most, 1)
  t.ok(delivered.size > UNKEYED / 2, 'most were delivered at all')
  t.strictSame([...statuses.keys()].filter((status) => ![200, 201, 503, 504].includes(status)), [])
})
