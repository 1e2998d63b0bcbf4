import { once } from 'node:events'
import { Agent, createServer, get, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import type { Test } from 'tap'

export interface Backend {
  url: string
  /** Whether it said so when `ask` was last called. */
  ready: boolean
  /** Requests that were sent there and are not answered. */
  underWay: number
}

/** Asks a backend whether it is ready, as a load balancer does every few seconds. Tests say when. */
export async function ask (backend: Backend): Promise<boolean> {
  const answer = once(get(`${backend.url}/v1/spot/ready`, { agent: false }), 'response')
  backend.ready = await answer.then(([{ statusCode, socket }]) => {
    socket.destroy()
    return statusCode === 200
  }, () => false)
  return backend.ready
}

/** The header that says why a request was lost behind the balancer. */
export const LOST = 'x-lost'

/**
 * A load balancer as plain as they come: requests go in turn to the backends that are ready, on connections kept alive.
 * Nothing is sent twice; only where nobody listens, another backend is taken.
 *
 * @returns its address
 */
export async function startBalancer (t: Test, backends: Backend[]): Promise<string> {
  const agent = new Agent({ keepAlive: true })
  let turn = 0

  async function forward (request: IncomingMessage, response: ServerResponse, body: Buffer, left: Backend[]) {
    const candidates = left.filter(({ ready }) => ready)
    const backend = candidates[turn++ % candidates.length]
    const lost = (why: string) => { response.writeHead(502, { [LOST]: why }).end() }
    if (backend === undefined) return lost('no backend is ready')
    const { connection, ...headers } = request.headers
    backend.underWay++
    const onward = httpRequest(`${backend.url}${request.url}`, { method: request.method ?? 'GET', headers, agent })
    onward.on('response', (answer) => {
      const { connection, ...headers } = answer.headers
      response.writeHead(answer.statusCode ?? 0, headers)
      answer.on('error', () => response.destroy()).pipe(response)
    })
    onward.on('close', () => { backend.underWay-- })
    onward.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ECONNREFUSED') return lost(String(error.code))
      forward(request, response, body, left.filter((other) => other !== backend))
    })
    onward.end(body)
  }

  const server = createServer({ keepAliveTimeout: 0 }, async (request, response) =>
    forward(request, response, await buffer(request), backends))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  t.teardown(() => {
    agent.destroy()
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
