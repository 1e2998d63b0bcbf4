/**
 * How long a claim and its swap take, in a fresh directory and in a Redis: one after another, and 50 at a time.
 * `npx tsx bench/store.ts [PORT]`, the port of a Redis on loopback; beside them what the disk takes for a write that it
 * must not lose.
 */
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore, type Store } from '../services/store/index.js'

const PAIRS = 500
const MINUTE = 60_000

async function measure (name: string, lanes: number, once: (i: number) => Promise<unknown>) {
  const start = performance.now()
  let next = 0
  await Promise.all(Array.from({ length: lanes }, async () => {
    while (next < PAIRS) await once(next++)
  }))
  const each = (performance.now() - start) / PAIRS
  console.log(`${name.padEnd(40)} ${each.toFixed(2)} ms each, ${Math.round(1000 / each)} a second`)
}

async function measureStore (name: string, store: Store) {
  await store.get('warm')
  for (const lanes of [1, 50]) {
    await measure(`${name}: claim + swap, ${lanes} at a time`, lanes, async (i) => {
      const key = `bench-${process.pid}-${lanes}-${i}`
      const version = await store.swap(key, undefined, 'x'.repeat(300), MINUTE)
      await store.swap(key, version, 'x'.repeat(300), MINUTE)
    })
  }
  await store.close()
}

const directory = await mkdtemp(join(tmpdir(), 'spot-api-bench-'))
const file = await open(join(directory, 'file'), 'w')
await measure('disk: write + fdatasync', 1, async () => {
  await file.write('x'.repeat(300))
  await file.datasync()
})
await file.close()
await measureStore('directory', openStore({ directory: join(directory, 'state') }))
await rm(directory, { recursive: true })
const port = Number(process.argv[2])
if (port) await measureStore('Redis', openStore({ redis: `redis://127.0.0.1:${port}` }))
