// How long a built server takes from the command to its first answer, beside a bare Fastify in the same run.
// Usage: npm run bench:start-up [-- RUNS]
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createServer } from 'node:net'

const runs = Number(process.argv[2] ?? 7)
const folder = mkdtempSync(join(tmpdir(), 'spot-api-')) // no config/config.json: the sandbox

const bare = `
  import Fastify from ${JSON.stringify(import.meta.resolve('fastify'))}
  const app = Fastify()
  app.get('/v1/spot/ping', async () => 'pong')
  await app.listen({ host: '127.0.0.1', port: Number(process.argv[1]) })`

const commands = {
  'bare Fastify': (port) => ['--input-type=module', '--eval', bare, String(port)],
  'spot-api with the sandbox': (port) => [resolve('dist/server.js'), '--listen', `127.0.0.1:${port}`]
}

async function freePort () {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

/** Milliseconds from the command to the first 200. */
async function start (command) {
  const port = await freePort()
  const began = performance.now()
  const child = spawn(process.execPath, command(port), { cwd: folder, stdio: 'ignore' })
  const ended = once(child, 'exit')
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${port}/v1/spot/ping`).catch(() => undefined)
    if (answer?.ok) break
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  const took = performance.now() - began
  child.kill()
  await ended
  return took
}

const times = Object.fromEntries(Object.keys(commands).map((name) => [name, []]))
for (let run = -1; run < runs; run++) { // the first warms up
  for (const [name, command] of Object.entries(commands)) {
    const took = await start(command)
    if (run >= 0) times[name].push(took)
  }
}

for (const [name, all] of Object.entries(times)) {
  const sorted = all.map(Math.round).toSorted((a, b) => a - b)
  const [least, median, most] = [sorted[0], sorted[Math.floor(runs / 2)], sorted.at(-1)]
  console.log(`${name.padEnd(28)} median ${median} ms (${least} to ${most}, ${runs} runs)`)
}
