// Bundles the server into dist/ and stamps it with its commit: `node scripts/build.js`. With --if-stale nothing is
// built while no source is newer than the build, so `npm start` starts at once; with --types, only the declarations of
// `spot-api/sandbox` are made, which --if-stale leaves out. `npm run typecheck` checks types. GITHASH is the commit
// where there is no .git, as in an image.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { build } from 'esbuild'

/** Besides the server and the sandbox: what tests kill, `npm run local` ends with and bench/ measures alone. */
const ENTRY_POINTS = [
  'server.ts', 'sandbox/index.ts',
  'services/audit/log.ts', 'services/state/index.ts', 'services/process/process-end.ts',
  'services/access/tokens.ts', 'services/metrics/requests.ts', 'services/resources/summaries.ts'
]

const root = join(import.meta.dirname, '..')
const dist = join(root, 'dist')
const stamp = join(dist, 'build.json')
const githash = process.env.GITHASH || commit()

if (process.argv.includes('--types')) declare()
else if (!process.argv.includes('--if-stale')) {
  for (const name of existsSync(dist) ? readdirSync(dist) : []) {
    if (name !== 'sdks') rmSync(join(dist, name), { recursive: true })
  }
  await make()
  declare()
} else if (isStale()) await make()
else if (JSON.parse(readFileSync(stamp, 'utf8')).githash !== githash) writeStamp()

/**
 * Our own files become a few: to load each by itself would be a sixth of a start. Packages are left alone, since
 * OpenTelemetry must see them.
 */
async function make () {
  await build({
    absWorkingDir: root,
    entryPoints: ENTRY_POINTS,
    outbase: root,
    outdir: dist,
    bundle: true,
    splitting: true,
    chunkNames: 'chunks/[name]-[hash]',
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20'
  })
  run('--import=tsx', join(root, 'scripts/validators.js'))
  writeStamp()
}

function declare () {
  const typescript = createRequire(import.meta.url).resolve('typescript/bin/tsc')
  run(typescript, '-p', join(root, 'tsconfig.types.json'), '--noCheck')
}

function run (...words) {
  const { status } = spawnSync(process.execPath, words, { cwd: root, stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}

function writeStamp () {
  mkdirSync(dist, { recursive: true })
  writeFileSync(stamp, JSON.stringify({ githash, buildstamp: new Date().toISOString() }) + '\n')
}

function commit () {
  try {
    const output = execFileSync('git', ['rev-parse', 'HEAD'], { cwd: root, stdio: ['ignore', 'pipe', 'ignore'] })
    return output.toString().trim()
  } catch {
    return 'unknown'
  }
}

/** Whether a source, or what decides how it is built, is newer than the build. */
function isStale () {
  const built = statSync(stamp, { throwIfNoEntry: false })?.mtimeMs ?? 0
  const files = ['app.ts', 'server.ts', 'package-lock.json', 'scripts/build.js', 'scripts/validators.js']
  const folders = ['openapi', 'plugins', 'routes', 'sandbox', 'services']
  const within = (folder) => readdirSync(join(root, folder), { recursive: true })
    .map((name) => join(folder, name)).filter((name) => /\.(ts|js|json)$/.test(name))
  return [...files, ...folders, ...folders.flatMap(within)]
    .some((name) => (statSync(join(root, name), { throwIfNoEntry: false })?.mtimeMs ?? 0) > built)
}
