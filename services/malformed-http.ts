import { randomUUID } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { Problem, problemBody, type ProblemName } from './problems.js'

/** Errors of Node's HTTP parser and server (https://nodejs.org/api/http.html#event-clienterror) → problem. */
const problemOf: Record<string, { problem: ProblemName, detail: string }> = {
  HPE_HEADER_OVERFLOW: { problem: 'header-fields-too-large', detail: 'The headers are larger than 16 KiB together.' },
  ERR_HTTP_REQUEST_TIMEOUT: { problem: 'request-timeout', detail: 'The whole request did not arrive in time.' }
}

/** Answers what is not HTTP, which no route ever sees, and ends the connection. */
export function malformedHttp (error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const { problem, detail } = problemOf[error.code ?? ''] ??
    { problem: 'malformed-request', detail: 'What was sent is not valid HTTP.' }
  const requestId = randomUUID()
  const answer = new Problem(problem, { detail })
  const body = JSON.stringify(problemBody(answer, '/', requestId))
  socket.end([
    `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status]}`,
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-Request-Id: ${requestId}`,
    'Connection: close',
    '',
    body
  ].join('\r\n'))
}
