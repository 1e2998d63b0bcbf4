// How the cost of a read grows with what there is: accounts, groups of an account, clients at once. `growth.svg` shows
// it; a curve that bends upward is a cost that grows faster than its cause.
import { writeFileSync } from 'node:fs'
import { alternate, median, print, row } from './figures.js'
import { picture } from './growth-picture.js'
import { load } from './load.js'
import { forgetPeak, gateway, peak, peer, TOKEN } from './processes.js'

const id = 'act-5a9db0c5'
const list = '/elastigroups'
/** Each list is read from Spot: from memory, its length would cost nothing. */
const fresh = { ...TOKEN, 'cache-control': 'no-cache' }

const CAUSES = {
  accounts: {
    sizes: [1, 10, 100],
    what: 'hot read, one of',
    start: (accounts) => serve({ accounts }),
    load: (server, accounts) => load(server, Array.from({ length: 100 }, (_, i) => `/demo-${i % accounts}${list}`),
      { headers: TOKEN, connections: 100 })
  },
  groups: {
    sizes: [10, 1000, 5000],
    what: 'cold list of',
    start: (groups) => serve({ groups }),
    // By number, since in two seconds a busy machine may read none of the longest.
    load: (server, groups) =>
      load(server, `/demo-0${list}`, { headers: fresh, connections: 1, amount: 20_000 / groups })
  },
  clients: {
    sizes: [1, 10, 50],
    what: 'hot read, each of',
    start: () => serve({}),
    load: (server, connections) => load(server, `/demo-0${list}`, { headers: TOKEN, connections })
  }
}

/** A server with so many accounts, each with so many groups. */
async function serve ({ accounts = 1, groups = 10 }) {
  const spot = await peer('canned', { groups, headers: { 'content-type': 'application/json' } })
  const account = (i) => [`demo-${i}`, { id: `${id}${i}`, token: `vendor-${i}`, endpoint: spot.url }]
  const all = Object.fromEntries(Array.from({ length: accounts }, (_, i) => account(i)))
  const server = await gateway(all, { deadlines: { readSeconds: 300 } })
  return { ...server, stop: () => Promise.all([server.stop(), spot.stop()]) }
}

/** @returns by size, run by run: microseconds of CPU of a read, megabytes in memory at most */
async function measure ({ sizes, start, load }) {
  const servers = new Map()
  for (const size of sizes) servers.set(size, await start(size))
  const once = (size) => async () => {
    const server = servers.get(size)
    forgetPeak(server)
    const { cpu } = await load(server, size)
    return { cpu, memory: peak(server) }
  }
  // Names that are no numbers: an object would sort those.
  const measures = Object.fromEntries(sizes.map((size) => [`of ${size}`, once(size)]))
  await alternate(measures, 1) // warms up
  const taken = Object.values(await alternate(measures))
  await Promise.all([...servers.values()].map((server) => server.stop()))
  return taken
}

export async function growth () {
  const rows = []
  const curves = []
  for (const [cause, { sizes, what, ...how }] of Object.entries(CAUSES)) {
    const taken = await measure({ sizes, ...how })
    for (const [part, unit, name] of [['cpu', 'µs', 'CPU'], ['memory', 'MB', 'most memory']]) {
      const [least, ...more] = taken.map((runs) => runs.map((run) => run[part]))
      rows.push(...more.map((ours, i) => row({
        figure: `${what} ${sizes[i + 1].toLocaleString('en')} ${cause}: ${name}`,
        unit,
        ours,
        peer: String(sizes[0]),
        theirs: least
      })))
      const points = [least, ...more].map((runs, i) => [sizes[i], median(runs)])
      curves.push({ title: `${name} (${unit}), ${what} … ${cause}`, points })
    }
  }
  writeFileSync(new URL('growth.svg', import.meta.url), picture(curves))
  return rows
}

await print(import.meta, growth)
