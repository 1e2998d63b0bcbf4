// Every figure, into RESULTS.md and growth.svg. All load is on 127.0.0.1 and ends by itself, in about eleven minutes on
// two quiet cores.
// Usage: npm run bench; for a quick look: BENCH_SECONDS=1 npm run bench
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { coldReads } from './cold-reads.js'
import { runs, seconds, table } from './figures.js'
import { flood } from './flood.js'
import { footprint } from './footprint.js'
import { growth } from './growth.js'
import { hotReads } from './hot-reads.js'
import { largeLists } from './large-lists.js'
import { measuring } from './measuring.js'
import { polling } from './polling.js'
import { startUp } from './start-up.js'
import { tokenChecks } from './token-checks.js'

const rows = []
const began = performance.now()
for (const figures of [
  startUp, tokenChecks, flood, measuring, hotReads, coldReads, largeLists, polling, footprint, growth
]) {
  const some = await figures()
  console.log(table(some))
  rows.push(...some)
}

const [{ model }] = cpus()
const minutes = Math.ceil((performance.now() - began) / 60_000)
const now = new Date().toISOString().slice(0, 10)
writeFileSync(new URL('RESULTS.md', import.meta.url), `# Results

${now}, Node.js ${process.version}, ${cpus().length} × ${model.trim()}, medians of ${runs} runs of ${seconds} s that
take turns with what stands beside them. Trust the ratios: both sides were measured on one machine, in the same minutes,
while the load and the simulated Spot shared its cores. All of it took ${minutes} minutes.

${table(rows)}
![How CPU and memory grow with accounts, groups and clients](growth.svg)
`)
process.exit()
