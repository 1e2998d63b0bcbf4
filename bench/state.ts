/**
 * How long a claim takes in a fresh directory and in a Redis, one after another and 64 at a time, beside what the disk
 * takes for a write that it must not lose; and what the state adds to the memory of a process that idles.
 * `npx tsx bench/state.ts [PORT]`, the port of a Redis on loopback.
 */
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openState, type State } from '../services/state/index.js'

const SECONDS = Number(process.env.BENCH_SECONDS ?? 5)
const MINUTE = 60_000
const RECORD = 'x'.repeat(300)

async function measure (name: string, lanes: number, once: (i: number) => Promise<unknown>) {
  const times: number[] = []
  const start = performance.now()
  const end = start + SECONDS * 1000
  let next = 0
  await Promise.all(Array.from({ length: lanes }, async () => {
    while (performance.now() < end) {
      const begun = performance.now()
      await once(next++)
      times.push(performance.now() - begun)
    }
  }))
  const each = Math.round(times.length / (performance.now() - start) * 1000)
  const p50 = times.sort((a, b) => a - b)[times.length >> 1] ?? NaN
  const rate = each.toLocaleString('en').padStart(8)
  console.log(`${name.padEnd(36)} p50 ${p50.toFixed(2).padStart(6)} ms ${rate} a second`)
}

async function measureState (name: string, state: State) {
  await state.get('warm')
  for (const lanes of [1, 64]) {
    await measure(`${name}: claim, ${lanes} at a time`, lanes, (i) =>
      state.swap(`bench-${process.pid}-${lanes}-${i}`, undefined, RECORD, MINUTE))
  }
  await state.close()
}

const directory = await mkdtemp(join(tmpdir(), 'spot-api-bench-'))

const before = process.memoryUsage.rss()
const idle = openState({ directory: join(directory, 'idle') })
const start = performance.now()
await idle.swap('a', undefined, RECORD, MINUTE)
console.log(`directory: first claim ${(performance.now() - start).toFixed(0)} ms after it was needed`)
await sleep(1000)
console.log(`directory: idle memory +${((process.memoryUsage.rss() - before) / 2 ** 20).toFixed(1)} MB; at most +20`)
await idle.close()

const file = await open(join(directory, 'file'), 'w')
await measure('disk: write + fsync', 1, async () => {
  await file.write(RECORD)
  await file.sync()
})
await file.close()
await measureState('directory', openState({ directory: join(directory, 'state') }))
await rm(directory, { recursive: true })
const port = Number(process.argv[2])
if (port) await measureState('Redis', openState({ redis: `redis://127.0.0.1:${port}` }))
