// Reads that are answered from memory, beside a bare node:http server that gives the same bytes and headers.
import { doors } from './doors.js'
import { alternate, print, row } from './figures.js'
import { load } from './load.js'
import { gateway, peer, TOKEN } from './processes.js'
import { redis } from './redis.js'

const paths = { 'one group': '/demo/elastigroups/sig-0f3ac1d2', 'list of four groups': '/demo/elastigroups' }
const how = { headers: TOKEN, connections: 16 }

export async function hotReads () {
  const sandbox = await peer('sandbox')
  const ours = await gateway({ demo: sandbox.account })
  const store = await redis()
  const shared = store && await gateway({ demo: sandbox.account }, { state: { redis: store.url } })
  const others = await doors(sandbox.account)
  const rows = []
  for (const [name, path] of Object.entries(paths)) {
    const answer = await fetch(ours.url + path, { headers: TOKEN })
    const { 'content-length': _, ...headers } = Object.fromEntries(answer.headers)
    const bare = await peer('canned', { headers, body: await answer.text() })
    const measures = Object.fromEntries(Object.entries({ ours, bare, ...shared && { shared }, ...others })
      .map(([name, server]) => [name, () => load(server, path, how)]))
    await alternate(measures, 1) // warms up
    const taken = await alternate(measures)
    const of = (what, which) => taken[which].map((run) => run[what])
    const rate = (ours) => ({ figure: `hot read, ${name}`, unit: '/s', ours: of('rate', ours) })
    const cpu = (ours) => ({ figure: `CPU of a hot read, ${name}`, unit: 'µs', ours: of('cpu', ours) })
    const bareOne = (what) => ({ peer: 'bare node:http', theirs: of(what, 'bare') })
    rows.push(
      row({ ...rate('ours'), ...bareOne('rate'), target: '≥ 0.5' }),
      ...Object.keys(others).map((other) =>
        row({ ...rate('ours'), peer: `${other}, which asks each time`, theirs: of('rate', other) })),
      row({ ...cpu('ours'), ...bareOne('cpu'), target: '≤ 1.8' }))
    if (shared) {
      const withRedis = (figure) => ({ ...figure, figure: `${figure.figure}, Redis as the state` })
      rows.push(row({ ...withRedis(rate('shared')), ...bareOne('rate') }),
        row({ ...withRedis(cpu('shared')), ...bareOne('cpu') }))
    }
    await bare.stop()
  }
  await Promise.all([ours, shared, ...Object.values(others), sandbox].map((server) => server?.stop()))
  await store?.stop()
  return rows
}

await print(import.meta, hotReads)
