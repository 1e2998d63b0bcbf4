/**
 * How long it takes to get a place in Spot's rate limit and to give it back, beside hashing 16 KiB, which it should not
 * take five times as long as. `npx tsx bench/budget.ts`
 */
import { createHash } from 'node:crypto'
import { Budget } from '../services/budget/index.js'

const budget = new Budget()
const route = { organization: { id: 'o', name: 'o' }, operation: 'getElastigroup', method: 'GET' }
const bytes = Buffer.alloc(16 * 1024)

async function place () {
  const place = await budget.enter(route, performance.now() + 1000)
  if ('settle' in place) place.settle({ limit: 1001, remaining: 1000, reset: 60_000, blocked: false })
}

const hash = () => createHash('sha256').update(bytes).digest('hex')

/** Microseconds that the work takes, once it is warm. */
async function measure (times: number, work: () => unknown): Promise<number> {
  let began = 0
  for (let i = -times / 5; i < times; i++) {
    if (i === 0) began = performance.now()
    await work()
  }
  return (performance.now() - began) / times * 1000
}

console.log(`a place is taken and given back in ${(await measure(50_000, place)).toFixed(2)} µs`)
console.log(`16 KiB are hashed in               ${(await measure(5000, hash)).toFixed(2)} µs`)
budget.close()
