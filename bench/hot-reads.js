// Reads that are answered from memory, beside a bare node:http server that gives the same bytes and headers.
import { alternate, print, row } from './figures.js'
import { load } from './load.js'
import { nginx } from './nginx.js'
import { gateway, peer, TOKEN } from './processes.js'

const paths = { 'one group': '/demo/elastigroups/sig-0f3ac1d2', 'list of four groups': '/demo/elastigroups' }

export async function hotReads () {
  const sandbox = await peer('sandbox')
  const ours = await gateway({ demo: sandbox.account })
  const proxy = await nginx(sandbox.account)
  const rows = []
  for (const [name, path] of Object.entries(paths)) {
    const answer = await fetch(ours.url + path, { headers: TOKEN })
    const { 'content-length': _, ...headers } = Object.fromEntries(answer.headers)
    const bare = await peer('canned', { headers, body: await answer.text() })
    const measures = {
      ours: () => load(ours, path, { headers: TOKEN }),
      bare: () => load(bare, path, { headers: TOKEN }),
      ...proxy && { proxy: () => load(proxy, path, { headers: TOKEN }) }
    }
    await alternate(measures, 1) // warms up
    const taken = await alternate(measures)
    const of = (what, which) => taken[which].map((run) => run[what])
    const rate = { figure: `hot read, ${name}`, unit: '/s', ours: of('rate', 'ours') }
    rows.push(row({ ...rate, peer: 'bare node:http', theirs: of('rate', 'bare'), target: '≥ 0.5' }))
    if (proxy) rows.push(row({ ...rate, peer: 'nginx that asks each time', theirs: of('rate', 'proxy') }))
    rows.push(row({
      figure: `CPU of a hot read, ${name}`,
      unit: 'µs',
      ours: of('cpu', 'ours'),
      peer: 'bare node:http',
      theirs: of('cpu', 'bare'),
      target: '≤ 2'
    }))
    await bare.stop()
  }
  await Promise.all([ours, proxy, sandbox].map((server) => server?.stop()))
  return rows
}

await print(import.meta, hotReads)
