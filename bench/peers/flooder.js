// Floods a server on this machine with tokens that are not right, for a time: how many answers had each status.
import { randomBytes } from 'node:crypto'
import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

/** A hash of no key we know; what it ends in means something, so that it costs as much as a genuine one. */
function wrong (cost) {
  const signs = randomBytes(39).toString('base64').replaceAll('+', '.').slice(0, 51)
  return `$2b$${cost}$${signs.slice(0, 21)}.${signs.slice(21)}.`
}

const tokens = [() => wrong(31), () => randomBytes(45).toString('base64'), () => wrong(10), () => wrong(12)]

process.on('message', async ({ url, seconds, perSecond, addresses }) => {
  if (new URL(url).hostname !== '127.0.0.1') throw new TypeError(`${url} is not this machine`)
  const agent = new Agent({ keepAlive: true })
  const answers = {}
  const underWay = []
  const began = performance.now()
  for (let i = 0; performance.now() - began < seconds * 1000; i++) {
    const address = i % addresses
    const headers = {
      'x-auth-token': tokens[i % tokens.length](), 'x-forwarded-for': `10.0.${address >> 8}.${address & 255}`
    }
    underWay.push(new Promise((resolve) => {
      const count = (status) => {
        answers[status] = (answers[status] ?? 0) + 1
        resolve()
      }
      request(url, { agent, headers })
        .on('response', (response) => { response.resume().on('end', () => count(response.statusCode)) })
        .on('error', () => count('none'))
        .end()
    }))
    await sleep(began + i / perSecond * 1000 - performance.now())
  }
  await Promise.all(underWay)
  agent.destroy()
  process.send(answers)
})
process.send({})
