/**
 * What it costs to take a place in the limit and give it back, with a thousand sends in the window, beside the hash of
 * 16 KiB: `npx tsx bench/limit.ts`.
 */
import { createHash } from 'node:crypto'
import { systemClock } from '../services/spot/clock.js'
import { createLimit } from '../services/spot/stages/limit/index.js'

const limit = createLimit({ clock: systemClock, shareOf: () => 1, onBlock () {}, onShared () {} })
const stage = limit.stage({ name: 'demo', id: 'organization' })
const quota = { limit: 1e6, remaining: 1e6 - 1, reset: 60_000, blocked: false }
const answer = { items: [], size: 0, source: 'spot' as const, askedAt: 0, calls: 1, quota }
const pass = () => stage({
  operation: 'getElastigroup',
  method: 'GET',
  path: [],
  expects: 'items',
  deadline: Infinity,
  fresh: false,
  client: '',
  reserved: false
}, async () => answer)
const hash = () => createHash('sha256').update(Buffer.alloc(16 * 1024)).digest('hex')

/** @returns microseconds each */
async function measure (times: number, work: () => unknown): Promise<string> {
  for (let index = 0; index < times / 5; index++) await work()
  const began = performance.now()
  for (let index = 0; index < times; index++) await work()
  return ((performance.now() - began) / times * 1000).toFixed(2)
}

console.log(`a place is taken and given back in ${await measure(50_000, pass)} µs; ` +
  `16 KiB are hashed in ${await measure(5000, hash)} µs`)
limit.close()
