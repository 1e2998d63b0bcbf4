// Whether the memory of a built server stays flat: its heap after garbage collection, and what it occupies in all,
// every so many requests of every kind that a cache or a label could remember. Ends with code 1 where it grows.
// Usage: npm run bench:memory [-- REQUESTS]
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { hashSync } from '@node-rs/bcrypt'
import autocannon from 'autocannon'
import { startSandbox } from '../dist/sandbox/index.js'

const requests = Number(process.argv[2] ?? 200_000)
const STEPS = 4
const MOST_GROWTH = 0.1 // since the first step: what comes before it is warming up
const KEY = 'a-key-for-benches-only'

const sandbox = await startSandbox({ rateLimit: 10_000_000 })
const folder = mkdtempSync(join(tmpdir(), 'spot-api-'))
writeFileSync(join(folder, 'config.json'), JSON.stringify({
  listenAddress: '127.0.0.1:0',
  token: KEY,
  drainSeconds: 0,
  accounts: { demo: { ...sandbox.accounts[0], endpoint: sandbox.url } }
}))

// The server collects its garbage every second, so that what its metrics say of the heap is what it holds on to.
const collect = 'data:text/javascript,setInterval(gc, 1000).unref()'
const server = spawn(process.execPath, [
  '--expose-gc', '--import', collect, resolve('dist/server.js'), '--config', join(folder, 'config.json')
], { stdio: ['ignore', 'pipe', 'inherit'] })
process.on('exit', () => server.kill())
let log = ''
while (!/listening at/.test(log)) log += (await once(server.stdout, 'data'))[0]
server.stdout.resume()
const [, url] = /listening at (http:[^"]+)/.exec(log)

let n = 0
const token = { 'x-auth-token': hashSync(KEY, 4) }
const json = { ...token, 'content-type': 'application/json' }

/** One request each; what varies does so with every request. */
const kinds = [
  () => ({ path: '/v1/spot/accounts', headers: token }),
  () => ({ path: `/v1/spot/demo/elastigroups?name=web-${n}`, headers: token }),
  () => ({ path: `/v1/spot/demo/elastigroups/sig-${n}`, headers: token }), // 404 of Spot
  () => ({ path: `/v1/spot/account-${n}/instances`, headers: token }), // 404
  () => ({ path: `/v1/spot/nowhere/${n}/${n}/${n}`, headers: token }), // 404
  () => ({ path: `/somewhere-else-${n}?x=${n}` }), // 404
  () => ({ path: '/v1/spot/accounts', headers: { 'x-auth-token': `$2b$10$${n}` } }), // 401
  () => ({ path: '/v1/spot/accounts', method: 'PATCH', headers: token }), // 405
  () => ({ path: '/v1/spot/demo/elastigroups', method: 'POST', headers: json, body: `{"name": ${n}}` }), // 400
  () => ({ path: '/v1/spot/demo/elastigroups', method: 'POST', headers: json, body: `{"name": "${n}` }), // 400
  () => ({ path: `/v1/spot/demo/instances?misspelt-${n}=1`, headers: token }), // 400
  () => ({ path: '/v1/spot/ping', headers: { 'x-request-id': `request-${n}` } })
]

const statuses = {}
async function load (amount) {
  const run = autocannon({
    url,
    amount,
    connections: 16,
    timeout: 30,
    requests: kinds.map((kind) => ({
      setupRequest (request) {
        n++
        return { ...request, method: 'GET', body: undefined, ...kind() }
      }
    }))
  })
  run.on('response', (_, status) => { statuses[status] = (statuses[status] ?? 0) + 1 })
  const { errors, timeouts, duration } = await run
  if (errors + timeouts > 0) throw new Error(`${errors} errors, ${timeouts} timeouts`)
  return amount / duration
}

/** Bytes: the heap in use after collection, and all of the process that is in memory (Linux only). */
async function memory () {
  await new Promise((resolve) => setTimeout(resolve, 3000))
  const metrics = await (await fetch(`${url}/v1/spot/metrics`)).text()
  const [, heap] = /^nodejs_heap_size_used_bytes (\S+)/m.exec(metrics)
  const [, resident] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))
  return { heap: Number(heap), resident: Number(resident) * 1024, series: metrics.split('\n').length }
}

const MB = 2 ** 20
const cell = (value) => String(value).padStart(10)
console.log(['requests', 'per s', 'heap MB', 'RSS MB', 'metrics'].map(cell).join(''))
const row = (count, rate, { heap, resident, series }) => console.log(
  [count, rate, (heap / MB).toFixed(1), (resident / MB).toFixed(1), series].map(cell).join(''))

row(0, '', await memory())
const samples = []
for (let step = 1; step <= STEPS; step++) {
  const rate = await load(requests / STEPS)
  samples.push(await memory())
  row(step * requests / STEPS, Math.round(rate), samples.at(-1))
}
console.log('answers by status:', JSON.stringify(statuses))

const [first, last] = [samples[0], samples.at(-1)]
const growth = { heap: last.heap / first.heap - 1, resident: last.resident / first.resident - 1 }
const percent = (part) => `${(part * 100).toFixed(1)} %`
console.log(`growth since ${requests / STEPS}: heap ${percent(growth.heap)}, RSS ${percent(growth.resident)}`)
server.kill()
await once(server, 'exit')
await sandbox.close()
process.exit(Math.max(growth.heap, growth.resident) > MOST_GROWTH || last.series > first.series ? 1 : 0)
