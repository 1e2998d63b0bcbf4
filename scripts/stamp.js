// Writes dist/build.json: the commit and the time of this build. GITHASH overrides, for images built without .git.
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'

function commit () {
  try {
    return execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {
    return 'unknown'
  }
}

mkdirSync('dist', { recursive: true })
const stamp = { githash: process.env.GITHASH || commit(), buildstamp: new Date().toISOString() }
writeFileSync('dist/build.json', JSON.stringify(stamp) + '\n')
