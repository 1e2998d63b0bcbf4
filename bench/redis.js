// A Redis of its own, in memory.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync } from 'node:fs'
import { freePort, started } from './processes.js'

const REDIS = '/usr/bin/redis-server'

/** @returns the server and its `url`; undefined where there is no Redis */
export async function redis () {
  try {
    accessSync(REDIS)
  } catch {
    return undefined
  }
  const port = await freePort()
  const words = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
  const child = spawn(REDIS, words, { stdio: ['ignore', 'pipe', 'inherit'] })
  let log = ''
  while (!log.includes('Ready to accept connections')) log += (await once(child.stdout, 'data'))[0]
  child.stdout.resume()
  return { ...started(child), url: `redis://127.0.0.1:${port}` }
}
