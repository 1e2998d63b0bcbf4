import { randomUUID } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { Problem, problemBody, type ProblemDetails, type ProblemName } from './index.js'

/** Characters that path and query may have together; Node itself accepts 16 KiB with the headers. */
export const LONGEST_URL = 8192

export const urlTooLong = () =>
  new Problem('uri-too-long', { detail: `Path and query are longer than ${LONGEST_URL} characters together.` })

/** Headers of every reply: what is sent is data, and no page. The docs page has a policy of its own. */
export const SECURITY_HEADERS = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'"
}

/** Errors of Node's HTTP parser and server (https://nodejs.org/api/http.html#event-clienterror) → problem. */
const problemOf: Record<string, { problem: ProblemName, detail: string }> = {
  HPE_HEADER_OVERFLOW: { problem: 'header-fields-too-large', detail: 'The headers are larger than 16 KiB together.' },
  ERR_HTTP_REQUEST_TIMEOUT: { problem: 'request-timeout', detail: 'The whole request did not arrive in time.' }
}

/** A request line that is too long. Node's parser reports it as headers that are too large. */
const longUrl = new RegExp(`^[A-Z]+ \\S{${LONGEST_URL}}`)

type ParserError = NodeJS.ErrnoException & { rawPacket?: unknown }

/** Answers what is not HTTP and reaches no route, and closes the connection. */
export function malformedHttp (error: ParserError, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const sent = String(error.rawPacket)
  const { problem, detail } = problemOf[error.code ?? ''] ??
    { problem: 'malformed-request', detail: 'What was sent is not valid HTTP.' }
  const isLongUrl = problem === 'header-fields-too-large' && longUrl.test(sent)
  end(socket, isLongUrl ? urlTooLong() : new Problem(problem, { detail }), !sent.startsWith('HEAD '))
}

/** Answers a CONNECT: Node treats it as the start of another protocol, so it reaches no route. */
export function refuseConnect (socket: Duplex): void {
  socket.on('error', () => {})
  end(socket, new Problem('method-not-allowed', {
    detail: 'CONNECT is not supported.',
    hint: 'This server is not a proxy.',
    headers: { allow: '' }
  }))
}

/** Answers a problem on the bare connection, and closes it. The answer to a HEAD has no body. */
function end (socket: Duplex, problem: Problem, withBody = true): void {
  const requestId = randomUUID()
  const body = `${JSON.stringify(problemBody(problem, '/', requestId))}\n`
  const headers: ProblemDetails['headers'] = {
    'Content-Type': 'application/problem+json',
    'Content-Length': String(Buffer.byteLength(body)),
    'X-Request-Id': requestId,
    Connection: 'close',
    ...SECURITY_HEADERS,
    ...problem.details.headers
  }
  socket.end([
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    '',
    withBody ? body : ''
  ].join('\r\n'))
}
