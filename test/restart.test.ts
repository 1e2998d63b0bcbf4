import t, { type Test } from 'tap'
import { document } from '../openapi/document.js'
import { ask, LOST, startBalancer, type Backend } from './balancer.js'
import { TOKEN } from './keys.js'
import { DRAIN, DRAINED, run, spot } from './process.js'
import { testDirectory } from './test-directory.js'
import { until } from './until.js'

/** Restarts of each server, requests at least, and those that are under way at once. */
const { rounds: ROUNDS, requests: REQUESTS, callers: CALLERS } = process.env.CHAOS === 'full'
  ? { rounds: 3, requests: 10_000, callers: 8 }
  : { rounds: 1, requests: 150, callers: 4 }

/**
 * Milliseconds that each call to Spot takes. Without it the callers would send thousands of requests while a server
 * starts, and few would be under way at Spot when another one ends. Nothing depends on how long it is.
 */
const LATENCY = 20

const { examples } = document.components as unknown as { examples: Record<string, { value: object }> }
const headers = { 'x-auth-token': TOKEN, 'content-type': 'application/json' }

/** A third of the requests create, the others read. */
const kinds = [
  { method: 'POST', path: 'elastigroups', want: 201 },
  { method: 'GET', path: 'instances', want: 200 },
  { method: 'GET', path: 'accounts', want: 200 }
] as const

const capacity = { target: 0, minimum: 0, maximum: 0, unit: 'instance' }
const group = (name: string) => JSON.stringify({ ...examples.ElastigroupCreateExample?.value, name, capacity })

/** Sends the n-th request, and says what it was and how it ended: `POST 201`. */
async function send (balancer: string, n: number) {
  const { method, path, want } = kinds[n % kinds.length] as typeof kinds[number]
  const body = method === 'POST' ? group(`load-${n}`) : null
  const url = `${balancer}/v1/spot/${path === 'accounts' ? path : `real/${path}`}`
  const ended = await fetch(url, { method, headers, body }).then(async (response) => {
    await response.arrayBuffer()
    return response.headers.get(LOST) ?? response.status
  }, (error) => String(error.cause ?? error))
  return { what: `${method} ${ended}`, proper: ended === want }
}

/** A gateway as a process, which the balancer knows under whatever address it has. */
async function startBackend (t: Test, folder: string) {
  const backend: Backend = { url: '', ready: false, underWay: 0 }
  const begin = async () => {
    const server = run(t, ['--config', 'a.json'], { folder, obeys: true })
    const [, url = ''] = await server.prints(/listening at (http:[^"]+)/)
    backend.url = url
    await until(() => ask(backend))
    return server
  }
  let server = await begin()
  return {
    backend,
    async restart () {
      server.kill('SIGTERM')
      await until(async () => !await ask(backend))
      // What was sent before that may still be on its way: seconds of a drain are more than enough for it to arrive.
      await until(() => backend.underWay === 0)
      await server.does(DRAINED)
      const { code } = await server.ends()
      server = await begin()
      return code
    }
  }
}

t.test('servers are restarted in turn under load, and no request is lost or done twice', async (t) => {
  const { sandbox, configuration } = await spot(t, {
    sandbox: { rateLimit: 1_000_000, seed: false }, settings: { drainSeconds: DRAIN, logLevel: 'info' }
  })
  sandbox.faults.inject({ latency: LATENCY, times: Infinity })
  const folder = testDirectory(t, { 'a.json': configuration })
  const servers = await Promise.all([startBackend(t, folder), startBackend(t, folder)])
  const balancer = await startBalancer(t, servers.map(({ backend }) => backend))

  const ends: Record<string, number> = {}
  const improper: string[] = []
  const codes: (number | null)[] = []
  const load = { sent: 0, over: false }

  const callers = Array.from({ length: CALLERS }, async () => {
    while (!load.over || load.sent < REQUESTS) {
      const n = load.sent++
      const { what, proper } = await send(balancer, n)
      ends[what] = (ends[what] ?? 0) + 1
      if (!proper) improper.push(what)
    }
  })
  for (let round = 0; round < ROUNDS; round++) {
    for (const { restart } of servers) codes.push(await restart())
  }
  load.over = true
  await Promise.all(callers)

  t.comment(`${load.sent} requests by ${CALLERS} callers, ${codes.length} restarts`)
  t.comment(`ends: ${JSON.stringify(ends)}`)

  t.strictSame(improper, [], 'every request got its proper answer')
  t.strictSame(codes, Array(2 * ROUNDS).fill(0), 'every server ended in good order')
  const response = await fetch(`${balancer}/v1/spot/real/elastigroups`, { headers })
  const names = (await response.json() as { name: string }[]).map(({ name }) => name)
  t.equal(names.length, ends['POST 201'], 'Spot did what was answered, and nothing else')
  t.equal(new Set(names).size, names.length, 'nothing was done twice')
  t.ok(load.sent >= REQUESTS)
  t.equal(sandbox.transcript.filter(({ status }) => status === undefined).length, 0, 'no call to Spot was cut off')
})
