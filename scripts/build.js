// Compiles the server into dist/ and stamps it with its commit: `node scripts/build.js`. With --if-stale nothing is
// compiled while no source is newer than the build, so `npm start` starts at once; with --noCheck no type is checked.
// The declarations of `spot-api/sandbox` are made too, unless with --if-stale; with --types, only they are.
// GITHASH is the commit where there is no .git, as in an image.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const stamp = join(root, 'dist/build.json')
const githash = process.env.GITHASH || commit()

if (process.argv.includes('--types')) tsc('tsconfig.types.json', '--noCheck')
else if (!process.argv.includes('--if-stale')) {
  compile()
  tsc('tsconfig.types.json', '--noCheck')
} else if (isStale()) compile()
else if (JSON.parse(readFileSync(stamp, 'utf8')).githash !== githash) writeStamp()

function compile () {
  tsc('tsconfig.build.json')
  writeStamp()
}

function tsc (project, ...options) {
  const typescript = createRequire(import.meta.url).resolve('typescript/bin/tsc')
  const words = [typescript, '-p', join(root, project), ...options]
  if (process.argv.includes('--noCheck')) words.push('--noCheck')
  const { status } = spawnSync(process.execPath, words, { stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}

function writeStamp () {
  mkdirSync(join(root, 'dist'), { recursive: true })
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

/** Whether a source, or what decides how it is compiled, is newer than the build. */
function isStale () {
  const built = statSync(stamp, { throwIfNoEntry: false })?.mtimeMs ?? 0
  const files = ['app.ts', 'server.ts', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json']
  const folders = ['openapi', 'plugins', 'routes', 'sandbox', 'services']
  const within = (folder) => readdirSync(join(root, folder), { recursive: true })
    .map((name) => join(folder, name)).filter((name) => /\.(ts|js|json)$/.test(name))
  return [...files, ...folders, ...folders.flatMap(within)]
    .some((name) => (statSync(join(root, name), { throwIfNoEntry: false })?.mtimeMs ?? 0) > built)
}
