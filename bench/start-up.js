// How long a built server, and the sandbox alone, take from the command to the first answer, and a simulated Spot
// within a process that runs (tests start one each), all beside a bare Fastify.
// Usage: npm run bench:start-up
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import Fastify from 'fastify'
import { alternate, print, row } from './figures.js'
import { answering, folder, freePort, SERVER, started } from './processes.js'

const home = folder() // no config/config.json: the sandbox

/** Milliseconds from the command to the first 200. @param words the command line for a port */
const start = (words, path = '/v1/spot/ping') => async () => {
  const port = await freePort()
  const began = performance.now()
  const child = spawn(process.execPath, words(port), { cwd: home, stdio: 'ignore' })
  await answering(`http://127.0.0.1:${port}${path}`, child)
  const took = performance.now() - began
  await started(child).stop()
  return took
}

/** Milliseconds until an app within this process listens. @param listen resolves to what closes it */
const within = (listen) => async () => {
  const began = performance.now()
  const close = await listen()
  const took = performance.now() - began
  await close()
  return took
}

async function simulatedSpot () {
  const { startSandbox } = await import('../dist/sandbox/index.js')
  const measures = {
    ours: within(async () => (await startSandbox()).close),
    bare: within(async () => {
      const app = Fastify()
      await app.listen({ host: '127.0.0.1', port: 0 })
      return () => app.close()
    })
  }
  await alternate(measures, 1) // loads them
  const { ours, bare } = await alternate(measures, 5)
  return row({ figure: 'a simulated Spot', unit: 'ms', ours, peer: 'bare Fastify', theirs: bare, target: '50 ms' })
}

export async function startUp () {
  const measures = {
    ours: start((port) => [SERVER, '--listen', `127.0.0.1:${port}`]),
    alone: start((port) => [SERVER, 'sandbox', '--port', port], '/_sandbox/clock'),
    bare: start((port) => [fileURLToPath(new URL('peers/bare-fastify.js', import.meta.url)), `127.0.0.1:${port}`])
  }
  await alternate(measures, 1) // warms up
  const { ours, alone, bare } = await alternate(measures, 5)
  return [
    row({ figure: 'start, with the sandbox', unit: 'ms', ours, peer: 'bare Fastify', theirs: bare }),
    row({
      figure: 'start of the sandbox alone', unit: 'ms', ours: alone, peer: 'bare Fastify', theirs: bare, target: '≤ 1.3'
    }),
    await simulatedSpot()
  ]
}

await print(import.meta, startUp)
