// `npm run test:busy [-- --runs N] [-- FILE …]`: runs the tests of `npm test`, or these, N times in quiet (3 by
// default) and N times beside two processes that burn a core each, and prints how long each run took. The TAP output of
// a run that fails is printed.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'

const root = join(import.meta.dirname, '..')
const { values: { runs }, positionals: files } = parseArgs({
  options: { runs: { type: 'string', default: '3' } }, allowPositionals: true
})
if (!(Number(runs) >= 1)) throw new Error('--runs must be a number, at least 1')
const tap = join(dirname(createRequire(import.meta.url).resolve('tap/package.json')), 'dist/esm/run.mjs')
const burners = new Set()
process.on('exit', () => { for (const burner of burners) burner.kill('SIGKILL') })
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))

async function oneRun () {
  const started = performance.now()
  const words = [tap, '--reporter=tap', ...files]
  const child = spawn(process.execPath, words, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', (chunk) => { output += chunk })
  const [code] = await once(child, 'close')
  const [, total = '{}'] = /^# (\{ total.*\})$/m.exec(output) ?? []
  return { code, output, total, seconds: Math.round((performance.now() - started) / 1000) }
}

async function all (name) {
  for (let run = 1; run <= Number(runs); run++) {
    const { code, output, total, seconds } = await oneRun()
    console.log(`${name} run ${run}: ${code === 0 ? 'passed' : 'FAILED'} in ${seconds} s ${total}`)
    if (code === 0) continue
    console.log(output)
    process.exitCode = 1
  }
}

await all('quiet')
for (let core = 0; core < 2; core++) burners.add(spawn(process.execPath, ['-e', 'for(;;){}'], { stdio: 'ignore' }))
await all('busy')
process.exit()
