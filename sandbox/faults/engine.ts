import { STATUS_CODES } from 'node:http'
import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { failure } from '../protocol/envelope.js'
import type { CallInfo, Reply } from '../protocol/envelope.js'
import { commitOf, kindOf } from './model.js'
import type { Delay, Fault, FaultKind } from './model.js'

/** What a fault needs to know of the call. */
export interface FaultContext {
  response: ServerResponse
  fault: Fault
  call: CallInfo
  /** The reply to alter: a placeholder until the operation has run. */
  reply: Reply
  /** Headers of every reply. */
  headers: Record<string, string>
}

/**
 * Applies a fault to the connection, and runs the operation (`serve`) before it, after it or not at all.
 * @returns the status that was sent, undefined if none was
 */
export async function applyFault (context: FaultContext, serve: () => Reply): Promise<number | undefined> {
  const { fault } = context
  const commit = commitOf(fault)
  const reply = commit === 'first' ? serve() : context.reply
  await pause(fault.latency)
  const status = RESPONSES[kindOf(fault) ?? 'status']({ ...context, reply })
  // Not awaited: the reply has gone, the commit follows later.
  if (commit === 'late') pause(fault.lateBy ?? 50).then(serve, () => {})
  return status
}

/** The genuine reply, for a fault that only delays. */
export async function serveAfterLatency (fault: Fault, serve: () => Reply): Promise<Reply> {
  const early = fault.commit === 'first' ? serve() : undefined
  await pause(fault.latency)
  return early ?? serve()
}

/** Waits in real time, not by the sandbox's clock; does not keep the process alive. */
async function pause (delay: Delay = 0): Promise<void> {
  if (typeof delay !== 'number') await delay
  else if (delay > 0) await sleep(delay, undefined, { ref: false })
}

const RESPONSES: Record<FaultKind, (context: FaultContext) => number | undefined> = {
  status: (context) => {
    const { errors } = context.fault
    const status = context.fault.status ?? (errors === undefined ? 500 : 400)
    const entries = errors ?? [{ code: String(status), message: STATUS_CODES[status] ?? 'Error' }]
    const reply = status < 400 ? context.reply : failure(context.call, status, entries)
    const contentType = typeof context.fault.body === 'string' ? 'text/plain; charset=utf-8' : reply.contentType
    return send(context, { status, contentType, text: reply.text })
  },
  garbage: (context) =>
    send(context, { status: 200, contentType: 'application/json', text: '{"response":<<<not json' }),
  html: (context) => send(context, { status: 502, contentType: 'text/html', text: BAD_GATEWAY }),
  redirect: (context) => {
    // To the sandbox itself: a client that follows shows up in the transcript.
    const headers = { location: '/redirected', ...context.headers }
    return send({ ...context, headers }, { status: 302, contentType: 'text/plain', text: '' })
  },
  'wrong-content-type': (context) => send(context, { ...context.reply, contentType: 'text/html' }),
  reset: ({ response }) => {
    response.socket?.resetAndDestroy()
    return undefined
  },
  hang: () => undefined,
  truncated: (context) => sendHalf(context, () => context.response.socket?.destroy()),
  stall: (context) => sendHalf(context, () => {})
}

const BAD_GATEWAY = '<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n' +
  '<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n'

function send (context: FaultContext, reply: Reply): number {
  const bytes = sendHead(context, reply)
  context.response.end(bytes)
  return context.response.statusCode
}

/** Announces the whole reply, sends half of it, then calls `next`. */
function sendHalf (context: FaultContext, next: () => void): number {
  const bytes = sendHead(context, context.reply)
  context.response.write(bytes.subarray(0, bytes.length >> 1), next)
  return context.response.statusCode
}

/** Sends status and headers; those of the fault win. Returns the body to send. */
function sendHead ({ response, fault, headers }: FaultContext, reply: Reply): Buffer {
  const bytes = Buffer.from(textOf(fault) ?? reply.text)
  const own = { ...headers, 'content-type': reply.contentType, 'content-length': String(bytes.length) }
  for (const [name, value] of Object.entries({ ...own, ...fault.headers })) response.setHeader(name, value)
  response.writeHead(fault.status ?? reply.status)
  return bytes
}

function textOf ({ body }: Fault): string | undefined {
  return typeof body === 'string' || body === undefined ? body : JSON.stringify(body)
}
