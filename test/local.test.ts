import { execFile, spawn } from 'node:child_process'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { request, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Redis } from 'ioredis'
import t from 'tap'
import { missing, startStack, type Stack } from '../deploy/local/stack.js'
import { ask, group, groups, spotHas, type Asked } from './caller.js'
import { watch } from './process.js'
import { until } from './until.js'

/* nginx, two replicas, Redis and a simulated Spot, as `npm run local` starts them. `CHAOS=full` goes on for longer. */

const FULL = process.env.CHAOS === 'full'
const ROUNDS = FULL ? 3 : 1
const CALLERS = FULL ? 6 : 4
/** Milliseconds that a caller rests between two requests: a load that no machine is too small for. */
const REST = FULL ? 40 : 100

const lacks = missing()
const skip = lacks.length > 0 && `skipped: ${lacks.join(' ')}`

/** What a caller repeats, with the same key; 409 is said of a key whose first request is still under way. */
const AGAIN = [0, 409, 429, 502, 503, 504]

/** Callers that create, each under a key of its own until it is answered, and read in between. */
function startLoad (stack: Stack) {
  const answers = new Map<string, Asked>()
  const refusals = new Map<string, number>()
  const lostReads: string[] = []
  let reads = 0
  const load = { over: false }

  async function read (path: string) {
    const { status, type } = await ask(stack, 'GET', path)
    reads++
    if (status !== 200) lostReads.push(`${path}: ${status} ${type}`)
  }

  async function create (name: string) {
    for (;;) {
      const answer = await ask(stack, 'POST', groups, group(name), `key-of-${name}`)
      answers.set(name, answer)
      if (!AGAIN.includes(answer.status)) return answer.path
      const refusal = `${answer.status} ${answer.type.replace(/.*:/, '')}`
      refusals.set(refusal, (refusals.get(refusal) ?? 0) + 1)
      await sleep(answer.retryAfter * 1000 + 200 * Math.random()) // as callers do, not all at once
    }
  }

  const callers = Promise.all(Array.from({ length: CALLERS }, async (_, caller) => {
    // Two only read: they go on while the others wait for their creates.
    for (let n = 0, path = groups; !load.over; n++) {
      if (caller >= 2) path = await create(`group-${caller}-${n}`) || groups
      for (const one of ['/v1/spot/accounts', path, `${groups}?name=group-${caller}-${n}`]) {
        await read(one)
        await sleep(REST)
      }
    }
  }))
  return {
    answers,
    refusals,
    lostReads,
    reads: () => reads,
    stop: () => { load.over = true },
    async end () {
      load.over = true
      await callers
    }
  }
}

/** The replicas' own addresses, behind nginx. */
const replicasOf = ({ url }: Stack) => [1, 2].map((nth) => url.replace(/\d+$/, (port) => String(Number(port) + nth)))

/** Waits until nginx sends requests to both replicas, from here on. */
async function bothServe (stack: Stack) {
  const log = join(stack.home, 'nginx-access.log')
  const { size } = statSync(log)
  await until(() => {
    const lines = readFileSync(log, 'utf8').slice(size) // it is all ASCII
    return replicasOf(stack).every((url) => lines.includes(` ${url.replace('http://', '')} 200 `))
  })
}

/** What each replica has open to Redis: for keys, for the limit, and for the stamps of memory. */
const CONNECTIONS = 3

/** Waits until each replica shares the limit through Redis: whoever was slow to connect is alone for a second. */
async function bothShare ({ url }: Stack) {
  const redis = new Redis(url.replace('http', 'redis').replace(/\d+$/, (port) => String(Number(port) + 3)))
  await until(async () => String(await redis.client('LIST')).trim().split('\n').length > 2 * CONNECTIONS)
  redis.disconnect()
}

t.test('through kills, an outage of Redis and restarts nothing is lost, nothing is done twice', { skip }, async (t) => {
  const said: string[] = []
  const stack = await startStack({
    say: (line) => said.push(line),
    // A key that was claimed by who died is free again after 5 seconds and its deadline.
    settings: { deadlines: { readSeconds: 60, writeSeconds: 4 }, settleSeconds: 0.5, logLevel: 'warn' },
    sandbox: { seed: false, rateLimit: 1_000_000 }
  })
  t.teardown(() => stack.end())
  const load = startLoad(stack)
  t.teardown(load.stop)
  const codes: unknown[] = []

  for (let round = 0; round < ROUNDS; round++) {
    await bothServe(stack) // one misfortune at a time
    await stack.kill(round % 2)
    await stack.stopRedis(round % 2 === 0 ? 'SIGKILL' : 'SIGTERM')
    const before = load.reads()
    const refused = () => load.refusals.get('503 state-unavailable') ?? 0
    const soFar = refused()
    // Reads go on, and a key is refused.
    await until(() => load.reads() > before + 20 && refused() > soFar)
    await stack.startRedis()
    for (const nth of [0, 1]) codes.push(await stack.restart(nth))
  }
  await load.end()
  t.ok(said.includes('replica 1 ended (SIGKILL) and is started again …'), 'it said so')

  const { answers, refusals, lostReads } = load
  const has = await spotHas(stack.account.endpoint, stack.account)
  const names = [...answers.keys()]
  const idOf = (name: string) => answers.get(name)?.status === 201 ? answers.get(name)?.body.id : undefined
  const lost = names.filter((name) => idOf(name) && !has.has(name)).length
  const duplicates = [...has].filter(([, ids]) => ids.length > 1).length
  t.comment(`${names.length} creates and ${load.reads()} reads by ${CALLERS} callers`)
  t.comment(`kills of a replica ${ROUNDS}, outages of Redis ${ROUNDS}, restarts ${codes.length}`)
  t.comment(`creates that had to be repeated: ${JSON.stringify(Object.fromEntries(refusals))}`)
  t.comment(`creates lost ${lost}, duplicates ${duplicates}; reads lost ${lostReads.length}`)

  t.strictSame({ lost, duplicates }, { lost: 0, duplicates: 0 })
  t.strictSame(lostReads, [], 'every read was answered at its first try')
  t.strictSame(names.filter((name) => !idOf(name)), [], 'every create was answered in the end')
  t.strictSame(names.filter((name) => idOf(name) !== has.get(name)?.[0]), [], 'with the group that Spot has')
  t.equal(has.size, names.length, 'and Spot has no other')
  t.strictSame(codes, Array(2 * ROUNDS).fill(0), 'restarted replicas ended in good order')

  await t.test('nobody gets the metrics from outside', async (t) => {
    const statusOf = async (url: string, path: string) => (await fetch(`${url}/v1/spot/${path}`)).status
    for (const path of ['metrics', 'metric%73', 'metrics?a=b']) t.equal(await statusOf(stack.url, path), 404, path)
    const { type, hint } = await (await fetch(`${stack.url}/v1/spot/metrics`)).json() as Record<string, string>
    t.match({ type, hint }, { type: 'urn:problem-type:spot-api:route-not-found', hint: /Ask each server/ })
    for (const url of replicasOf(stack)) t.equal(await statusOf(url, 'metrics'), 200)
  })

  await t.test('an nginx that compresses by itself breaks no precondition', async (t) => {
    const file = join(stack.home, 'spot-api.conf')
    const conf = readFileSync(file, 'utf8')
    // The replicas do not learn that they may.
    writeFileSync(file, conf.replace('proxy_http_version 1.1;', "$& proxy_set_header Accept-Encoding '';"))
    const long = { ...group('compressed'), long: 'x'.repeat(2000) }
    const { path } = await ask(stack, 'POST', groups, long)
    // Each on a connection of its own: nginx closes those that it kept while it reads its configuration again.
    const send = (method: string, given: object, body = '') => new Promise<IncomingMessage>((resolve, reject) => {
      const headers = { 'x-auth-token': stack.token, 'content-type': 'application/json', ...given }
      request(stack.url + path, { method, headers, agent: false }, (response) => resolve(response.resume()))
        .on('error', reject).end(body)
    })
    const read = async (given: object = { 'accept-encoding': 'gzip' }) => send('GET', given)
    const write = (tag: string) => send('PUT', { 'if-match': tag }, '{"description":"by tag"}')
    const own = (await read()).headers.etag ?? ''
    t.match(own, /^"[^"]+"$/)
    const nginx = stack.parts.find(({ name }) => name === 'nginx')?.pid as number
    const workers = () => readFileSync(`/proc/${nginx}/task/${nginx}/children`, 'utf8').trim().split(' ')
    const before = workers()
    process.kill(nginx, 'SIGHUP')
    // Until then, a connection may reach one that has the old configuration.
    await until(() => workers().every((pid) => !before.includes(pid)))
    const { headers: { etag: tag = '', 'content-encoding': coding } } = await read()
    t.strictSame([tag, coding], [`W/${own.replace('-gzip', '')}`, 'gzip'])
    t.equal((await read({ 'if-none-match': tag })).statusCode, 304)
    t.equal((await write(tag)).statusCode, 200)
    t.equal((await write(tag)).statusCode, 412, 'it is another one now')
  })

  await t.test('a write that a dying replica had sent is not sent again by nginx', async (t) => {
    const { path } = await ask(stack, 'POST', groups, group('kept'), 'kept')
    await bothShare(stack)
    for (const url of replicasOf(stack)) {
      t.equal((await ask({ ...stack, url }, 'POST', groups, group('warm'))).status, 201)
      t.equal((await ask({ ...stack, url }, 'PUT', path, { description: null })).status, 200)
    }
    const marks = Array.from({ length: 8 }, (_, n) => `mark-${n}`)
    for (const method of ['POST', 'PUT']) await stack.inject({ method, kind: 'hang', times: 100 })
    const seen = async () => (await stack.transcript()).flatMap(({ body }) =>
      (body as { group?: { description?: string } })?.group?.description ?? [])
      .filter((description) => marks.includes(description))

    const calls = marks.map((description, n) => n % 4 < 2
      ? ask(stack, 'PUT', path, { description })
      : ask(stack, 'POST', groups, { ...group('unkeyed'), description }))
    await until(async () => (await seen()).length === marks.length)
    const [answers] = await Promise.all([Promise.all(calls), stack.kill(0)])

    t.strictSame((await seen()).toSorted(), marks, 'Spot got each once')
    t.strictSame(answers.map(({ type }) => type), marks.map(() => 'urn:problem-type:spot-api:outcome-unknown'))
  })
})

t.test('npm run local starts everything, prints a line to paste, and leaves nothing behind', { skip }, async (t) => {
  const up = join(import.meta.dirname, '../deploy/local/up.js')
  const port = 19_000 + 5 * Math.floor(Math.random() * 100)
  const local = watch(t, spawn(process.execPath, [up, '--port', String(port)]))
  const prints = async (form: RegExp) => (await local.prints(form))[1] as string

  const curl = await prints(/^ +(curl .*)$/m)
  const { stdout } = await promisify(execFile)('sh', ['-c', `${curl} -s`])
  t.ok((JSON.parse(stdout) as object[]).length > 0, 'the line works')
  const home = await prints(/configuration +(.*)$/m)
  const pids = (await prints(/pids +(.*)$/m)).match(/\d+(?=,|$)/g)?.map(Number) ?? []
  t.equal(pids.length, 5)

  local.kill('SIGINT')
  t.match(await local.ends(), { code: 0, errors: /^$/ })
  const alive = pids.filter((pid) => existsSync(`/proc/${pid}`))
  t.strictSame(alive, [], 'no process is left')
  t.notOk(existsSync(home), 'nor its directory')
})
