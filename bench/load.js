// Load from a process of its own: what measures takes no time of what is measured.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { seconds } from './figures.js'
import { cpuSeconds } from './processes.js'

const AUTOCANNON = fileURLToPath(import.meta.resolve('autocannon'))

/**
 * Asks a server for one path over and over, on ten connections.
 *
 * @param amount requests; unless set, as many as there are in the seconds of a run
 * @returns requests a second, and microseconds of CPU that each costs the server
 * @throws {Error} when an answer is no 200
 */
export async function load (server, path, { headers = {}, connections = 10, amount } = {}) {
  const args = Object.entries(headers).flatMap(([name, value]) => ['--headers', `${name}=${value}`])
  const length = amount ? ['--amount', amount] : ['--duration', seconds]
  const before = cpuSeconds(server)
  const { stdout } = await promisify(execFile)(process.execPath, [
    AUTOCANNON, '--json', '--no-progress', '--timeout', 30, '--connections', connections, ...length, ...args,
    server.url + path
  ].map(String), { maxBuffer: 2 ** 24 })
  const { requests, '2xx': good, non2xx, errors } = JSON.parse(stdout)
  if (non2xx + errors > 0) throw new Error(`${path}: ${non2xx} answers were no 2xx, ${errors} errors`)
  return { rate: requests.average, cpu: (cpuSeconds(server) - before) / good * 1e6 }
}
