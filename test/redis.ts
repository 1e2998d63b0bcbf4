import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { freePort } from './server-process.js'

export const skipRedis = spawnSync('redis-server', ['--version']).error ? 'there is no redis-server' : false

/** A real Redis of the test's own, which forgets all when it stops. */
export async function redis (t: Test) {
  const folder = mkdtempSync(join(tmpdir(), 'spot-api-redis-'))
  const port = await freePort()
  let child: ChildProcess | undefined

  const stop = async () => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }
  const takesConnections = () => new Promise<boolean>((resolve) => {
    const socket = connect(port, '127.0.0.1', () => { socket.destroy(); resolve(true) })
    socket.on('error', () => resolve(false))
  })
  const start = async () => {
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder]
    child = spawn('redis-server', args, { stdio: 'ignore' })
    while (!await takesConnections()) await new Promise((resolve) => setTimeout(resolve, 10))
  }
  t.teardown(async () => {
    await stop()
    rmSync(folder, { recursive: true, force: true })
  })
  await start()
  return { url: `redis://127.0.0.1:${port}`, start, stop }
}
