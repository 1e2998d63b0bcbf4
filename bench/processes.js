// Whatever is measured, or helps to, is a process of its own. All listen on 127.0.0.1, and end with this one.
import { fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { hashSync } from '@node-rs/bcrypt'

export const KEY = 'a-key-for-benches-only'
export const TOKEN = { 'x-auth-token': hashSync(KEY, 10) }
export const SERVER = fileURLToPath(new URL('../dist/server.js', import.meta.url))

const running = new Set()
const folders = []
process.on('exit', () => {
  for (const child of running) child.kill()
  for (const path of folders) rmSync(path, { recursive: true, force: true })
})

/** A process that is ended with `stop()`, and at the latest with this one. */
export function started (child) {
  running.add(child)
  const ended = once(child, 'exit').finally(() => running.delete(child))
  return {
    pid: child.pid,
    /** Sends a message, and returns the answer. */
    async ask (question) {
      child.send(question)
      const [answer] = await once(child, 'message')
      return answer
    },
    async stop () {
      child.kill()
      await ended
    }
  }
}

/** A folder that is gone in the end. */
export function folder () {
  const path = mkdtempSync(join(tmpdir(), 'spot-api-'))
  folders.push(path)
  return path
}

export async function freePort () {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

const script = (name) => fileURLToPath(new URL(`peers/${name}.js`, import.meta.url))

/** A script of peers/ with its settings, once it has sent its `url`, or whatever else it sends first. */
export async function peer (name, settings = {}) {
  const child = fork(script(name), [JSON.stringify(settings)])
  const [sent] = await once(child, 'message')
  return { ...started(child), ...sent }
}

/**
 * The server as it ships, its metrics and its log on; the log goes nowhere.
 *
 * @param watched whether it can be asked for its stalls, which costs it some time
 */
export async function gateway (accounts, settings = {}, { watched = false } = {}) {
  const port = await freePort()
  const home = folder()
  const config = join(home, 'config.json')
  writeFileSync(config, JSON.stringify({
    listenAddress: `127.0.0.1:${port}`, token: KEY, drainSeconds: 0, accounts, ...settings
  }))
  const child = spawn(process.execPath, [...watched ? ['--import', script('watch')] : [], SERVER, '--config', config], {
    cwd: home, stdio: ['ignore', 'ignore', 'inherit', 'ipc']
  })
  const server = { ...started(child), url: `http://127.0.0.1:${port}/v1/spot` }
  await answering(`${server.url}/ping`, child)
  return server
}

/** Waits for the first 200. @throws {Error} when the process ends before it */
export async function answering (url, child) {
  for (;;) {
    const answer = await fetch(url).catch(() => undefined)
    if (answer?.ok) return
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** Seconds of CPU that a process has used, all its threads. Linux: proc(5), ticks are hundredths of a second. */
export function cpuSeconds ({ pid }) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

const megabytes = ({ pid }, name) =>
  Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024

/** Megabytes of a process that are in memory. */
export const resident = (server) => megabytes(server, 'VmRSS')

/** The most there were since `forgetPeak`. */
export const peak = (server) => megabytes(server, 'VmHWM')
export const forgetPeak = ({ pid }) => writeFileSync(`/proc/${pid}/clear_refs`, '5')
