// Memory that is occupied: idle, and after a hundred thousand requests. `memory.js` looks for growth, and longer.
import { setTimeout as sleep } from 'node:timers/promises'
import { alternate, print, row, runs, seconds } from './figures.js'
import { load } from './load.js'
import { gateway, peer, resident, TOKEN } from './processes.js'

const amount = seconds < 2 ? 10_000 : 100_000

export async function footprint () {
  const sandbox = await peer('sandbox')
  const start = { ours: () => gateway({ demo: sandbox.account }), bare: () => peer('bare-fastify') }
  const idle = (started) => async () => {
    const server = await started()
    await sleep(1500) // the rest of the start
    const megabytes = resident(server)
    await server.stop()
    return megabytes
  }
  const taken = await alternate({ ours: idle(start.ours), bare: idle(start.bare) }, runs)

  const [ours, bare] = await Promise.all([start.ours(), start.bare()])
  await load(ours, '/accounts', { headers: TOKEN, amount })
  await load(bare, '/v1/spot/ping', { amount })
  const after = { ours: [resident(ours)], theirs: [resident(bare)] }
  await Promise.all([ours, bare, sandbox].map((server) => server.stop()))
  const unit = 'MB'
  const fastify = { unit, peer: 'bare Fastify' }
  return [
    row({ figure: 'memory, idle', ...fastify, ours: taken.ours, theirs: taken.bare }),
    row({ figure: `memory after ${amount.toLocaleString('en')} requests`, ...fastify, ...after })
  ]
}

await print(import.meta, footprint)
