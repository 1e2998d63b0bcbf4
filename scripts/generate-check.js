// Whether the generated files are fresh. Generates them elsewhere, so whoever reads them meanwhile is not disturbed.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

const root = join(import.meta.dirname, '..')
const folder = mkdtempSync(join(tmpdir(), 'spot-api-generated-'))
const { resolve } = createRequire(import.meta.url)

function run (program, ...words) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...words], { cwd: root, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${stdout}${stderr}`)
}

try {
  const document = join(folder, 'spot-api.json')
  run(resolve('@redocly/cli/bin/cli.js'), 'bundle', 'openapi/spot-api.yaml', '-o', document)
  const typescript = join(dirname(resolve('openapi-typescript/package.json')), 'bin/cli.js')
  run(typescript, document, '-o', join(folder, 'types.d.ts'))
  for (const name of ['spot-api.json', 'types.d.ts']) {
    if (readFileSync(join(folder, name), 'utf8') === readFileSync(join(root, 'openapi', name), 'utf8')) continue
    console.error(`openapi/${name} is not what openapi/spot-api.yaml makes. Run: npm run generate`)
    process.exitCode = 1
  }
} finally {
  rmSync(folder, { recursive: true })
}
