import { Agent, request } from 'node:http'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { flooder } from './flood.js'
import { TOKEN } from './helper.js'
import { run, spot } from './process.js'

/* Two experiments on this machine, bounded in time and count: CHAOS=full makes them longer. */

const full = process.env.CHAOS === 'full'
if (full) t.setTimeout(900_000)

const sorted = (numbers: number[]) => numbers.toSorted((a, b) => a - b)
const median = (numbers: number[]) => sorted(numbers)[numbers.length >> 1] as number
const p99 = (numbers: number[]) => sorted(numbers)[Math.floor(numbers.length * 0.99)] as number
const shown = (numbers: number[]) => numbers.map((number) => number.toFixed(1)).join(' ')

/** Milliseconds that each of a caller's requests takes, one after the other, for some time. */
async function caller (url: string, agent: Agent, milliseconds: number): Promise<number[]> {
  const taken: number[] = []
  const end = performance.now() + milliseconds
  for (let from = performance.now(); from < end; from = performance.now()) {
    const status = await new Promise((resolve, reject) => {
      request(`${url}/v1/spot/accounts`, { agent, headers: { 'x-auth-token': TOKEN } })
        .on('response', (response) => { response.resume().on('end', () => resolve(response.statusCode)) })
        .on('error', reject).end()
    })
    if (status !== 200) throw new Error(`a right token was answered ${status}`)
    taken.push(performance.now() - from)
    await sleep(2)
  }
  return taken
}

/** Milliseconds that the gateway's event loop was late at the 99th percentile, since this was asked last. */
async function lag (url: string): Promise<number> {
  const text = await (await fetch(`${url}/v1/spot/metrics`)).text()
  return Number(/^nodejs_eventloop_lag_p99_seconds (\S+)$/m.exec(text)?.[1]) * 1000
}

/** A flood of tokens beside a caller with a right one, in turns with quiet: medians over the turns. */
async function floods (t: Test, addresses: number, turns: number) {
  const { configuration } = await spot(t, { settings: { trustedProxies: ['127.0.0.1'] } })
  const { prints } = run(t, ['--config', 'a.json'], { files: { 'a.json': configuration } })
  const [, url = ''] = await prints(/listening at (http:[^"]+)/)
  const flood = flooder(t)
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => agent.destroy())
  const milliseconds = full ? 500 : 250
  const answers: Record<string, number> = {}
  const quiet: { p99: number, late: number }[] = []
  const flooded: typeof quiet = []
  const measure = async () => ({ p99: p99(await caller(url, agent, milliseconds)), late: await lag(url) })

  await measure()
  for (let i = 0; i < turns; i++) {
    quiet.push(await measure())
    const flooding = flood({ url, milliseconds, perSecond: 200, addresses })
    flooded.push(await measure())
    for (const [status, count] of Object.entries(await flooding)) answers[status] = (answers[status] ?? 0) + count
    await lag(url)
  }
  const measured: Record<string, number> = {}
  for (const [name, turns] of Object.entries({ quiet, flooded })) {
    for (const what of ['p99', 'late'] as const) {
      const numbers = turns.map((turn) => turn[what])
      measured[`${name} ${what}`] = median(numbers)
      t.comment(`${name} ${what}: median ${median(numbers).toFixed(2)} ms of ${shown(numbers)}`)
    }
  }
  t.comment(`the flood of ${addresses} addresses was answered ${JSON.stringify(answers)}`)
  return { measured: measured as Record<`${'quiet' | 'flooded'} ${'p99' | 'late'}`, number>, answers }
}

/** Addresses, turns, statuses of the answers. Each address has some failures: many make the server check all along. */
const experiments: [number, number, string[]][] = [
  [1, full ? 20 : 8, ['401', '429']],
  ...full ? [[1000, 6, ['401', '503']] satisfies [number, number, string[]]] : []
]

for (const [addresses, turns, statuses] of experiments) {
  t.test(`a flood of wrong tokens, number of addresses: ${addresses}, does not slow down a right one`, async (t) => {
    const { measured, answers } = await floods(t, addresses, turns)
    t.ok(measured['flooded p99'] < 2 * measured['quiet p99'], 'answers take no longer than twice what they took')
    // A machine that is busy with other things is late by itself.
    t.ok(measured['flooded late'] < Math.max(50, 2 * measured['quiet late']), 'the event loop is in time')
    t.strictSame(Object.keys(answers), statuses, 'each is refused, none is lost')
  })
}
