import { fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { Agent, createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'

/** A process that floods a gateway on this machine with tokens that are not right, when it is told to, for a time. */

export interface Flood {
  /** Whom it floods; unless set, a server in its own process, so that it has as much to do as ever. */
  url?: string
  /** It sends no more after that. */
  milliseconds: number
  perSecond: number
  /** Addresses that it says to come from. */
  addresses: number
}

/** Answers by status; `none` where the connection broke. */
export type Answers = Record<string, number>

/** @returns what floods, from a process of its own, so that it takes no time from what measures */
export function flooder (t: Test): (flood: Flood) => Promise<Answers> {
  const { NODE_OPTIONS, ...env } = process.env
  const child = fork(fileURLToPath(import.meta.url), { env, execArgv: ['--import', import.meta.resolve('tsx')] })
  t.teardown(() => child.kill('SIGKILL'))
  const ended = once(child, 'exit').then(() => { throw new Error('the process of the flood ended') })
  ended.catch(() => {})
  return async (flood) => {
    child.send(flood)
    const [answers] = await Promise.race([once(child, 'message'), ended])
    return answers as Answers
  }
}

/** A hash of no key we know; what it ends in means something, so that it costs as much as a genuine one. */
const wrong = (cost: number) => {
  const signs = randomBytes(39).toString('base64').replaceAll('+', '.').slice(0, 51)
  return `$2b$${cost}$${signs.slice(0, 21)}.${signs.slice(21)}.`
}

const tokens = [() => wrong(31), () => randomBytes(45).toString('base64'), () => wrong(10), () => wrong(12)]

const harmless = createServer((_, response) => { response.writeHead(401).end('{}'.padEnd(400)) })
const decoy = () => `http://127.0.0.1:${(harmless.address() as AddressInfo).port}`

/** Milliseconds that the last requests of a flood wait for their answers. */
const PATIENCE = 20_000

async function send ({ url = decoy(), milliseconds, perSecond, addresses }: Flood): Promise<Answers> {
  const { hostname } = new URL(url)
  if (hostname !== '127.0.0.1') throw new TypeError(`${hostname} is not this machine`)
  const agent = new Agent({ keepAlive: true })
  const answers: Answers = {}
  const under: Promise<void>[] = []
  const from = performance.now()
  for (let i = 0; performance.now() - from < milliseconds; i++) {
    const address = i % addresses
    const headers = {
      'x-auth-token': tokens[i % tokens.length]?.(), 'x-forwarded-for': `10.0.${address >> 8}.${address & 255}`
    }
    under.push(new Promise((resolve) => {
      const count = (status: number | string | undefined) => {
        answers[String(status)] = (answers[String(status)] ?? 0) + 1
        resolve()
      }
      request(`${url}/v1/spot/accounts`, { agent, headers })
        .on('response', (response) => { response.resume().on('end', () => count(response.statusCode)) })
        .on('error', () => count('none'))
        .end()
    }))
    await sleep(from + i / perSecond * 1000 - performance.now())
  }
  await Promise.race([Promise.all(under), sleep(PATIENCE)])
  agent.destroy()
  return answers
}

if (process.send && process.argv[1] === fileURLToPath(import.meta.url)) {
  process.on('disconnect', () => process.exit())
  harmless.listen(0, '127.0.0.1', () => {
    process.on('message', async (flood: Flood) => process.send?.(await send(flood)))
  })
}
