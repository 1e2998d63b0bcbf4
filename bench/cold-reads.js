// Reads that go to Spot each time: what the way through this server adds to asking Spot directly.
import { alternate, print, quantile, row, seconds } from './figures.js'
import { load } from './load.js'
import { nginx } from './nginx.js'
import { gateway, peer, TOKEN } from './processes.js'

/** One for each connection of the load: those who ask for the same at once would share a call. */
const groups = Array.from({ length: 10 }, (_, index) => `sig-0000000${index}`)
const paths = groups.map((group) => `/demo/elastigroups/${group}`)
const headers = { ...TOKEN, 'cache-control': 'no-cache' }

export async function coldReads () {
  const spot = await peer('canned', { groups: 1, headers: { 'content-type': 'application/json' } })
  const account = { id: 'act-5a9db0c5', token: 'vendor', endpoint: spot.url }
  const ours = await gateway({ demo: account })
  const proxy = await nginx(account)
  const caller = await peer('caller')

  const targets = {
    direct: {
      url: `${spot.url}/aws/ec2/group/${groups[0]}?accountId=${account.id}`, headers: { authorization: 'Bearer vendor' }
    },
    ours: { url: ours.url + paths[0], headers },
    ...proxy && { proxy: { url: proxy.url + paths[0], headers } }
  }
  const called = () => caller.ask({ targets, seconds: 2 * seconds })
  await called() // warms up
  const { calls } = await alternate({ calls: called })
  const at = (part, which) => calls.map((times) => quantile(times[which], part))
  const added = (part, which) => at(part, which).map((time, run) => time - at(part, 'direct')[run])
  const rows = [[0.5, '≤ 1 ms'], [0.99, '']].flatMap(([part, target]) => {
    const figure = { figure: `cold read, added p${part * 100}`, unit: 'ms', ours: added(part, 'ours') }
    return [
      row({ ...figure, peer: 'the call itself', theirs: at(part, 'direct'), target }),
      ...proxy ? [row({ ...figure, peer: 'nginx', theirs: added(part, 'proxy') })] : []
    ]
  })

  const loads = await alternate({
    ours: () => load(ours, paths, { headers }), ...proxy && { proxy: () => load(proxy, paths, { headers }) }
  })
  const cpu = (which) => loads[which].map(({ cpu }) => cpu)
  const ofOneCore = (which) => cpu(which).map((cpu) => 1e6 / cpu)
  const beside = (of) => proxy ? { peer: 'nginx', theirs: of('proxy') } : {}
  rows.push(
    row({ figure: 'CPU of a cold read', unit: 'µs', ours: cpu('ours'), ...beside(cpu) }),
    row({ figure: 'cold reads of one core', unit: '/s', ours: ofOneCore('ours'), ...beside(ofOneCore) }))
  await Promise.all([ours, proxy, spot, caller].map((process) => process?.stop()))
  return rows
}

await print(import.meta, coldReads)
