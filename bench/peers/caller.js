// Calls one target after the other, over and over, with got: how many milliseconds each call takes.
import { Agent } from 'node:http'
import got from 'got'

const client = got.extend({ agent: { http: new Agent({ keepAlive: true }) }, retry: { limit: 0 } })

process.on('message', async ({ targets, seconds }) => {
  const times = Object.fromEntries(Object.keys(targets).map((name) => [name, []]))
  const ends = performance.now() + seconds * 1000
  while (performance.now() < ends) {
    for (const [name, { url, headers }] of Object.entries(targets)) {
      const began = performance.now()
      await client(url, { headers })
      times[name].push(performance.now() - began)
    }
  }
  process.send(times)
})
process.send({})
