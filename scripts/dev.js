// `npm run dev`: the sandbox from source, started again whenever a source changes. The key stays the same, so what was
// pasted once goes on working. Arguments go on to the server: `npm run dev -- --config config/config.json`.
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const server = join(import.meta.dirname, '../server.ts')
const tsx = createRequire(import.meta.url).resolve('tsx/cli')
const env = { SPOT_API_SANDBOX_KEY: randomBytes(18).toString('base64url'), ...process.env }
const watch = ['watch', '--clear-screen=false', '--include', 'dist/validators/*.cjs']
const child = spawn(process.execPath, [tsx, ...watch, server, ...process.argv.slice(2)], { stdio: 'inherit', env })
// The terminal sends Ctrl-C to both; the server ends in order, and this waits for it.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
child.once('exit', (code) => process.exit(code ?? 0))
