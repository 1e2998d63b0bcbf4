// Clients that each look at one resource once a second.
import { Agent, get } from 'node:http'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'

const agent = new Agent({ keepAlive: true })

async function look (url, headers) {
  const [response] = await once(get(url, { headers, agent }), 'response')
  response.resume()
  await once(response, 'end')
  if (response.statusCode !== 200) throw new Error(`${url}: ${response.statusCode}`)
}

process.on('message', async ({ urls, headers, clients, seconds }) => {
  await Promise.all(Array.from({ length: clients }, async (_, client) => {
    await sleep(client / clients * 1000)
    for (let second = 0; second < seconds; second++) {
      await Promise.all([look(urls[client % urls.length], headers), sleep(1000)])
    }
  }))
  process.send({ reads: clients * seconds })
})
process.send({})
