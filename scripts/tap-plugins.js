// Builds tap with the plugins of .taprc, where it is not: by itself it would do so only after it has begun, and run all
// files once with the plugins that were left out.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const { resolve } = createRequire(import.meta.url)
const entry = join(import.meta.dirname, '../node_modules/@tapjs/test/test-built/dist/esm/index.js')
if (readFileSync(entry, 'utf8').includes('@tapjs/typescript')) {
  const tap = join(dirname(resolve('tap/package.json')), 'dist/esm/run.mjs')
  const { status } = spawnSync(process.execPath, [tap, 'build'], { stdio: ['ignore', 'ignore', 'inherit'] })
  process.exit(status ?? 1)
}
