import { spawn, spawnSync, type SpawnOptionsWithoutStdio } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { until } from './until.js'

const root = fileURLToPath(new URL('..', import.meta.url))

/** The server as it is built: it starts three times as fast as from source. `npm test` has built it. */
export const server = join(root, 'dist/server.js')
buildIfStale()

/** Most servers live for a second: to optimize them for a longer life would be a quarter of their work. */
const flags = process.env.CHAOS === 'full' ? [] : ['--no-opt']

/** Starts it, on this Node. */
export const startServer = (words: string[], options: SpawnOptionsWithoutStdio, before: string[] = []) =>
  spawn(process.execPath, [...flags, ...before, server, ...words], options)

/** A test file that is started by itself may be newer than the build. */
function buildIfStale (): void {
  const build = join(root, 'scripts/build.js')
  const { status, stderr } = spawnSync(process.execPath, [build, '--if-stale'], { cwd: root, encoding: 'utf8' })
  if (status !== 0) throw new Error(`the build failed: ${stderr}`)
}

/** A port nobody listens on just now. */
export async function freePort (): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

export interface ServerProcess {
  url: string
  /** Starts it, and waits until it takes requests. */
  start (): Promise<void>
  /** Ends it, and waits until it is gone. @returns its exit code; null when the signal ended it */
  kill (signal: NodeJS.Signals): Promise<number | null>
  /** What it logged, over all starts. */
  log (): string
}

/** spot-api as a process of its own, to be started and killed again and again on one port and in one folder. */
export async function serverProcess (t: Test, configuration: object): Promise<ServerProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'spot-api-'))
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...configuration, listenAddress: `127.0.0.1:${port}` }))
  let child: ReturnType<typeof spawn> | undefined
  let log = ''
  async function kill (signal: NodeJS.Signals) {
    if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null
    const ended = once(child, 'exit')
    child.kill(signal)
    const [code] = await ended
    return code as number | null
  }
  t.teardown(async () => {
    await kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })
  return {
    url,
    log: () => log,
    async start () {
      const started = startServer(['--config', 'config.json'], { cwd: folder })
      started.stdin.end()
      child = started
      for (const stream of [started.stdout, started.stderr]) stream.on('data', (chunk) => { log += chunk })
      await until(() => {
        if (started.exitCode !== null) throw new Error(`it ended with ${started.exitCode}: ${log}`)
        return fetch(`${url}/v1/spot/ping`).then(({ ok }) => ok, () => false)
      })
    },
    kill
  }
}
