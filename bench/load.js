// Load from a process of its own: what measures takes no time of what is measured.
import { seconds } from './figures.js'
import { cpuSeconds, peer } from './processes.js'

/**
 * Asks a server over and over.
 *
 * @param paths one, or as many as there are connections: each has its own then
 * @param connections default: 10
 * @param amount requests; default: as many as fit into the seconds of a run
 * @returns requests a second, and microseconds of CPU that each costs the server
 * @throws {Error} when an answer is no 200
 */
export async function load (server, paths, { headers = {}, connections = 10, amount } = {}) {
  const before = cpuSeconds(server)
  const loader = await peer('loader', {
    url: server.url, paths: [paths].flat(), headers, connections, ...amount ? { amount } : { duration: seconds }
  })
  const { rate, good, bad } = loader
  await loader.stop()
  if (bad > 0) throw new Error(`${bad} answers were no 2xx, or none`)
  return { rate, cpu: (cpuSeconds(server) - before) / good * 1e6 }
}
