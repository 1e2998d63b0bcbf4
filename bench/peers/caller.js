// Calls one after the other, with got: how many milliseconds each takes.
import { Agent } from 'node:http'
import got from 'got'

const client = got.extend({ agent: { http: new Agent({ keepAlive: true }) }, retry: { limit: 0 } })

process.on('message', async ({ url, headers, seconds }) => {
  const times = []
  const ends = performance.now() + seconds * 1000
  while (performance.now() < ends) {
    const began = performance.now()
    await client(url, { headers })
    times.push(performance.now() - began)
  }
  process.send(times)
})
process.send({})
