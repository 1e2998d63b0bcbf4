import { STATUS_CODES } from 'node:http'
import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { failure } from '../protocol/envelope.js'
import type { Asked, Reply } from '../protocol/envelope.js'
import { commitOf, kindOf } from './faults.js'
import type { Delay, Fault, FaultKind } from './faults.js'

/** What a strike has to work with. */
export interface Scene {
  response: ServerResponse
  fault: Fault
  asked: Asked
  /** The reply to spoil: one made up, until the operation is carried out and there is a genuine one. */
  reply: Reply
  /** Headers that every reply has. */
  headers: Record<string, string>
}

/**
 * Lets a fault loose on the connection, and carries the operation out (`serve`) before it, after it or not at all.
 * @returns the status that was sent, undefined when none was
 */
export async function strike (scene: Scene, serve: () => Reply): Promise<number | undefined> {
  const { fault } = scene
  const commit = commitOf(fault)
  const reply = commit === 'first' ? serve() : scene.reply
  await pause(fault.latency)
  const status = STRIKES[kindOf(fault) ?? 'status']({ ...scene, reply })
  // Not waited for: the reply is over, and Spot goes on by itself.
  if (commit === 'late') pause(fault.lateBy ?? 50).then(serve, () => {})
  return status
}

/** The proper reply, for a fault that only costs time. */
export async function serveLate (fault: Fault, serve: () => Reply): Promise<Reply> {
  const early = fault.commit === 'first' ? serve() : undefined
  await pause(fault.latency)
  return early ?? serve()
}

/** Real time, whatever the clock of the sandbox does; it keeps no process alive. */
async function pause (delay: Delay = 0): Promise<void> {
  if (typeof delay !== 'number') await delay
  else if (delay > 0) await sleep(delay, undefined, { ref: false })
}

const STRIKES: Record<FaultKind, (scene: Scene) => number | undefined> = {
  status: (scene) => {
    const { errors } = scene.fault
    const status = scene.fault.status ?? (errors === undefined ? 500 : 400)
    const said = errors ?? [{ code: String(status), message: STATUS_CODES[status] ?? 'Error' }]
    const reply = status < 400 ? scene.reply : failure(scene.asked, status, said)
    const contentType = typeof scene.fault.body === 'string' ? 'text/plain; charset=utf-8' : reply.contentType
    return send(scene, { status, contentType, text: reply.text })
  },
  garbage: (scene) => send(scene, { status: 200, contentType: 'application/json', text: '{"response":<<<not json' }),
  html: (scene) => send(scene, { status: 502, contentType: 'text/html', text: BAD_GATEWAY }),
  redirect: (scene) => {
    // To the sandbox itself: a client that follows shows up in the transcript.
    const headers = { location: '/redirected', ...scene.headers }
    return send({ ...scene, headers }, { status: 302, contentType: 'text/plain', text: '' })
  },
  'wrong-content-type': (scene) => send(scene, { ...scene.reply, contentType: 'text/html' }),
  reset: ({ response }) => {
    response.socket?.resetAndDestroy()
    return undefined
  },
  hang: () => undefined,
  truncated: (scene) => half(scene, () => scene.response.socket?.destroy()),
  stall: (scene) => half(scene, () => {})
}

const BAD_GATEWAY = '<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n' +
  '<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n'

function send (scene: Scene, reply: Reply): number {
  const bytes = begin(scene, reply)
  scene.response.end(bytes)
  return scene.response.statusCode
}

/** Promises the whole reply, sends half of it, then does `next`. */
function half (scene: Scene, next: () => void): number {
  const bytes = begin(scene, scene.reply)
  scene.response.write(bytes.subarray(0, bytes.length >> 1), next)
  return scene.response.statusCode
}

/** Sends status and headers, those of the fault before all others. Returns the body still to be sent. */
function begin ({ response, fault, headers }: Scene, reply: Reply): Buffer {
  const bytes = Buffer.from(textOf(fault) ?? reply.text)
  const own = { ...headers, 'content-type': reply.contentType, 'content-length': String(bytes.length) }
  for (const [name, value] of Object.entries({ ...own, ...fault.headers })) response.setHeader(name, value)
  response.writeHead(fault.status ?? reply.status)
  return bytes
}

function textOf ({ body }: Fault): string | undefined {
  return typeof body === 'string' || body === undefined ? body : JSON.stringify(body)
}
