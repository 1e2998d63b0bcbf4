// Reads that go to Spot each time: what the way through this server adds to asking Spot directly, and what each layer
// of it costs: servers that do nothing but pass a group on, with ever more of what this one is made of.
import { doors } from './doors.js'
import { alternate, print, quantile, row, seconds } from './figures.js'
import { load } from './load.js'
import { gateway, peer, TOKEN } from './processes.js'

/** One for each connection of the load: those who ask for the same at once would share a call. */
const groups = Array.from({ length: 10 }, (_, index) => `sig-0000000${index}`)
const paths = groups.map((group) => `/demo/elastigroups/${group}`)
const headers = { ...TOKEN, 'cache-control': 'no-cache' }

const LAYERS = {
  'node:http': { server: 'http', client: 'http' },
  'Fastify + undici': { server: 'fastify', client: 'undici' },
  'Fastify + got': { server: 'fastify', client: 'got' }
}
const TARGETS = { 'Fastify + got': '≤ 1.3' }

export async function coldReads () {
  const spot = await peer('canned', { groups: 1, headers: { 'content-type': 'application/json' } })
  const account = { id: 'act-5a9db0c5', token: 'vendor', endpoint: spot.url }
  const ours = await gateway({ demo: account })
  const others = await doors(account)
  const layers = {}
  for (const [name, layer] of Object.entries(LAYERS)) layers[name] = await peer('proxy', { account, layers: layer })

  const rows = [...await latency(spot, account, ours, others), ...await cost(ours, { ...others, ...layers })]
  await Promise.all([ours, spot, ...Object.values(others), ...Object.values(layers)].map((server) => server.stop()))
  return rows
}

/** Milliseconds that each door adds to the call itself. */
async function latency (spot, { id }, ours, others) {
  const caller = await peer('caller')
  const targets = {
    direct: {
      url: `${spot.url}/aws/ec2/group/${groups[0]}?accountId=${id}`, headers: { authorization: 'Bearer vendor' }
    },
    ours: { url: ours.url + paths[0], headers },
    ...Object.fromEntries(Object.entries(others).map(([name, { url }]) => [name, { url: url + paths[0], headers }]))
  }
  const called = () => caller.ask({ targets, seconds: 2 * seconds })
  await called() // warms up
  const { calls } = await alternate({ calls: called })
  await caller.stop()
  const at = (part, which) => calls.map((times) => quantile(times[which], part))
  const added = (part, which) => at(part, which).map((time, run) => time - at(part, 'direct')[run])
  return [[0.5, '≤ 1 ms'], [0.99, '']].flatMap(([part, target]) => {
    const figure = { figure: `cold read, added p${part * 100}`, unit: 'ms', ours: added(part, 'ours') }
    return [
      row({ ...figure, peer: 'the call itself', theirs: at(part, 'direct'), target }),
      ...Object.keys(others).map((peer) => row({ ...figure, peer, theirs: added(part, peer) }))
    ]
  })
}

/** Microseconds of CPU of a read. */
async function cost (ours, others) {
  const measures = Object.fromEntries(Object.entries({ ours, ...others }).map(([name, server]) =>
    [name, async () => (await load(server, paths, { headers })).cpu]))
  await alternate(measures, 1) // warms up
  const { ours: cpu, ...theirs } = await alternate(measures)
  return [
    ...Object.entries(theirs).map(([peer, theirs]) =>
      row({ figure: 'CPU of a cold read', unit: 'µs', ours: cpu, peer, theirs, target: TARGETS[peer] })),
    row({ figure: 'cold reads of one core', unit: '/s', ours: cpu.map((cpu) => 1e6 / cpu) })
  ]
}

await print(import.meta, coldReads)
