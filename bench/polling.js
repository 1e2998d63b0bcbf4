// What Spot sees of many clients that look at few resources: calls to Spot per thousand reads.
import { print, row, seconds } from './figures.js'
import { gateway, peer, TOKEN } from './processes.js'

const CLIENTS = 200
const groups = ['sig-0f3ac1d2', 'sig-7b19e64a', 'sig-c5d80e93', 'sig-2d6c90b8']
const parts = ['', '/status', '/health', '/capacity', '/suspensions']

export async function polling () {
  const sandbox = await peer('sandbox')
  const ours = await gateway({ demo: sandbox.account })
  const pollers = await peer('pollers')
  const urls = groups.flatMap((group) => parts.map((part) => `${ours.url}/demo/elastigroups/${group}${part}`))
  const { reads } = await pollers.ask({ urls, headers: TOKEN, clients: CLIENTS, seconds: seconds < 2 ? 5 : 15 })
  const metrics = await (await fetch(`${ours.url}/metrics`)).text()
  const calls = [...metrics.matchAll(/^spot_api_upstream_request_duration_seconds_count\{.*\} (\d+)$/gm)]
    .reduce((sum, [, count]) => sum + Number(count), 0)
  await Promise.all([ours, sandbox, pollers].map((process) => process.stop()))
  return [row({
    figure: `calls to Spot per 1,000 reads: ${CLIENTS} clients, ${urls.length} resources, once a second`,
    unit: 'calls',
    ours: [calls / reads * 1000],
    peer: 'each asks Spot',
    theirs: [1000]
  })]
}

await print(import.meta, polling)
