// A list of thousands of groups, 20 MB of Spot's: how large the answer is, how long it takes, and how long nothing else
// gets its turn meanwhile, beside a server that reads, filters and writes it at once.
import { alternate, print, row } from './figures.js'
import { forgetPeak, gateway, peak, peer, TOKEN } from './processes.js'

const GROUPS = 5000
const path = '/demo/elastigroups'

export async function largeLists () {
  const spot = await peer('canned', { groups: GROUPS, headers: { 'content-type': 'application/json' } })
  const ours = await gateway({ demo: { id: 'act-5a9db0c5', token: 'vendor', endpoint: spot.url } },
    { deadlines: { readSeconds: 300 } }, { watched: true })
  const plain = await peer('at-once', { upstream: spot.url })

  const read = async (server) => {
    const answer = await fetch(server.url + path, { headers: { ...TOKEN, 'cache-control': 'no-cache' } })
    if ((await answer.json()).length !== GROUPS) throw new Error('some groups are missing')
  }
  const bytes = async (coding) => {
    const answer = await fetch(ours.url + path, { headers: { ...TOKEN, 'accept-encoding': coding } })
    await answer.text()
    return Number(answer.headers.get('content-length')) / 1000
  }
  const together = (server, callers) => async () => {
    await server.ask('forget the stalls so far')
    forgetPeak(server)
    const began = performance.now()
    await Promise.all(Array.from({ length: callers }, () => read(server)))
    const time = performance.now() - began
    const { ran, clock } = await server.ask('how long was the longest?')
    return { time, memory: peak(server), ran, clock }
  }
  await alternate({ ours: () => read(ours), plain: () => read(plain) }, 3) // warms up
  const rows = []
  for (const callers of [1, 50]) {
    const taken = await alternate({ ours: together(ours, callers), plain: together(plain, callers) })
    const of = (what) => ({
      ours: taken.ours.map((run) => run[what]), peer: 'at once', theirs: taken.plain.map((run) => run[what])
    })
    const who = callers === 1 ? 'one caller' : `${callers} callers at once`
    const figure = `list of ${GROUPS} groups, ${who}`
    rows.push(row({ figure: `${figure}: longest stall`, unit: 'ms', ...of('ran'), target: '≤ 50 ms' }))
    rows.push(row({ figure: `${figure}: the same by the clock`, unit: 'ms', ...of('clock') }))
    rows.push(row({ figure: `${figure}: time`, unit: 'ms', ...of('time') }))
    rows.push(row({ figure: `${figure}: most memory`, unit: 'MB', ...of('memory') }))
  }
  const whole = await bytes('identity')
  for (const coding of ['gzip', 'br']) {
    const figure = `list of ${GROUPS} groups, ${coding}`
    rows.push(row({ figure, unit: 'KB', ours: [await bytes(coding)], peer: 'not compressed', theirs: [whole] }))
  }
  await Promise.all([ours, plain, spot].map((server) => server.stop()))
  return rows
}

await print(import.meta, largeLists)
