// What a caller with a right token notices of a flood of wrong ones, beside the same caller while another server is
// flooded.
import { alternate, print, quantile, row, seconds } from './figures.js'
import { gateway, peer, TOKEN } from './processes.js'

const PER_SECOND = 200

export async function flood () {
  const sandbox = await peer('sandbox')
  const ours = await gateway({ demo: sandbox.account }, { trustedProxies: ['127.0.0.1'] }, { watched: true })
  const decoy = await peer('canned', { headers: {}, body: '{}' })
  const [flooder, caller] = await Promise.all([peer('flooder'), peer('caller')])
  const url = `${ours.url}/accounts`
  const targets = { accounts: { url, headers: TOKEN } }

  const flooding = (flooded, addresses) => async () => {
    await ours.ask('forget the stalls so far')
    const [answers, { accounts }] = await Promise.all([
      flooder.ask({ url: flooded, seconds, perSecond: PER_SECOND, addresses }),
      caller.ask({ targets, seconds })
    ])
    if (flooded === url && Object.keys(answers).some((status) => !['401', '429', '503'].includes(status))) {
      throw new Error(`not all were refused: ${JSON.stringify(answers)}`)
    }
    return { p99: quantile(accounts, 0.99), stall: (await ours.ask('how long was the longest?')).ran }
  }
  await caller.ask({ targets, seconds: 1 }) // warms up
  const rows = []
  for (const addresses of [1, 1000]) {
    const taken = await alternate({ ours: flooding(url, addresses), quiet: flooding(decoy.url, addresses) })
    const of = (what) => ({
      ours: taken.ours.map((run) => run[what]), peer: 'in quiet', theirs: taken.quiet.map((run) => run[what])
    })
    const figure = `flood of wrong tokens from ${addresses} ${addresses === 1 ? 'address' : 'addresses'}`
    rows.push(row({ figure: `${figure}: a right one, p99`, unit: 'ms', ...of('p99'), target: '≤ 2' }))
    rows.push(row({ figure: `${figure}: longest stall`, unit: 'ms', ...of('stall'), target: '≤ 50 ms' }))
  }
  await Promise.all([ours, decoy, flooder, caller, sandbox].map((server) => server.stop()))
  return rows
}

await print(import.meta, flood)
