// Reads that go to Spot each time: what the way through this server adds to asking Spot directly.
import { alternate, print, quantile, row, seconds } from './figures.js'
import { load } from './load.js'
import { nginx } from './nginx.js'
import { cpuSeconds, gateway, peer, TOKEN } from './processes.js'

const GROUP = 'sig-0f3ac1d2'
const path = `/demo/elastigroups/${GROUP}`
const headers = { ...TOKEN, 'cache-control': 'no-cache' }

export async function coldReads () {
  const sandbox = await peer('sandbox')
  const { account: { id, token } } = sandbox
  const ours = await gateway({ demo: sandbox.account })
  const proxy = await nginx(sandbox.account)
  const caller = await peer('caller')

  const calls = (url, headers) => caller.ask({ url, headers, seconds })
  const direct = () => calls(`${sandbox.url}/aws/ec2/group/${GROUP}?accountId=${id}`, { authorization: `Bearer ${token}` })
  const through = (server) => async () => {
    const before = cpuSeconds(server)
    const times = await calls(server.url + path, headers)
    return Object.assign(times, { cpu: (cpuSeconds(server) - before) * 1000 / times.length })
  }
  await Promise.all([direct, through(ours)].map((warm) => warm()))

  const taken = await alternate({ direct, ours: through(ours), ...proxy && { proxy: through(proxy) } })
  const at = (part, which) => taken[which].map((times) => quantile(times, part))
  const added = (part, which) => at(part, which).map((time, run) => time - at(part, 'direct')[run])
  const unit = 'ms'
  const target = { 0.5: '≤ 1 ms' }
  const rows = [0.5, 0.99].flatMap((part) => [
    row({
      figure: `cold read, added p${part * 100}`,
      unit,
      ours: added(part, 'ours'),
      peer: 'the call itself',
      theirs: at(part, 'direct'),
      target: target[part]
    }),
    ...proxy
      ? [row({ figure: '', unit, ours: added(part, 'ours'), peer: 'added by nginx', theirs: added(part, 'proxy') })]
      : []
  ])
  const cpu = (which) => taken[which].map((run) => run.cpu)
  rows.push(row({
    figure: 'cold read, CPU', unit, ours: cpu('ours'), ...proxy && { peer: 'nginx', theirs: cpu('proxy') }
  }))

  const loads = await alternate({
    ours: () => load(ours, path, { headers }), ...proxy && { proxy: () => load(proxy, path, { headers }) }
  })
  const ofOneCore = (which) => loads[which].map(({ cpu }) => 1e6 / cpu)
  rows.push(row({
    figure: 'cold reads of one core',
    unit: '/s',
    ours: ofOneCore('ours'),
    ...proxy && { peer: 'nginx', theirs: ofOneCore('proxy') }
  }))
  await Promise.all([ours, proxy, sandbox, caller].map((process) => process?.stop()))
  return rows
}

await print(import.meta, coldReads)
