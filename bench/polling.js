// Many clients that look at few resources: how many calls of theirs reach Spot, and whether those who read something
// else notice when Spot takes no more of them.
import { alternate, print, quantile, row, seconds } from './figures.js'
import { gateway, peer, TOKEN } from './processes.js'

const CLIENTS = 200
const groups = ['sig-0f3ac1d2', 'sig-7b19e64a', 'sig-c5d80e93', 'sig-2d6c90b8']
const parts = ['', '/status', '/health', '/capacity', '/suspensions']
const RESOURCES = groups.length * parts.length

export async function polling () {
  const free = await polled()
  // Used up after five seconds by those who read groups, never by the one who reads instances.
  const blocked = await polled({ rateLimit: 5 * groups.length })
  const caller = await peer('caller')
  const length = seconds < 2 ? 5 : 15

  const reads = await free.poll(length)
  const calls = await sum(free, 'spot_api_upstream_request_duration_seconds_count')

  await blocked.poll(6)
  const elsewhere = (server) => async () => {
    const targets = { instances: { url: `${server.url}/demo/instances`, headers: TOKEN } }
    const [{ instances }] = await Promise.all([caller.ask({ targets, seconds }), server.poll(seconds)])
    return quantile(instances, 0.5)
  }
  const taken = await alternate({ blocked: elsewhere(blocked), free: elsewhere(free) })
  if (await sum(blocked, 'spot_api_upstream_blocked_seconds_total') === 0) throw new Error('nothing was blocked')
  await Promise.all([free, blocked, caller].map((server) => server.stop()))
  return [
    row({
      figure: `calls to Spot per 1,000 reads: ${CLIENTS} clients, ${RESOURCES} resources, once a second`,
      unit: 'calls',
      ours: [calls / reads * 1000],
      peer: 'each asks Spot',
      theirs: [1000]
    }),
    row({
      figure: 'a read of instances while reads of groups are blocked, p50',
      unit: 'ms',
      ours: taken.blocked,
      peer: 'while they are not',
      theirs: taken.free,
      target: '≤ 1.1'
    })
  ]
}

/** A server that is polled, in front of a Spot of its own. */
async function polled (settings) {
  const sandbox = await peer('sandbox', settings)
  const server = await gateway({ demo: sandbox.account })
  const pollers = await peer('pollers')
  const urls = groups.flatMap((group) => parts.map((part) => `${server.url}/demo/elastigroups/${group}${part}`))
  return {
    url: server.url,
    poll: async (seconds) => (await pollers.ask({ urls, headers: TOKEN, clients: CLIENTS, seconds })).reads,
    stop: () => Promise.all([server, sandbox, pollers].map((process) => process.stop()))
  }
}

/** A metric, all its series together. */
async function sum ({ url }, name) {
  const text = await (await fetch(`${url}/metrics`)).text()
  const series = text.matchAll(new RegExp(`^${name}\\{.*\\} (\\S+)$`, 'gm'))
  return [...series].reduce((sum, [, value]) => sum + Number(value), 0)
}

await print(import.meta, polling)
