import { STATUS_CODES } from 'node:http'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { DOCS_PATH } from '../openapi/paths.js'
import { sanitizeError } from '../services/problems/sanitize-error.js'
import { invalidRequest, type ValidationFailure } from '../services/problems/invalid-request.js'
import { Problem, problemBody, type ProblemName } from '../services/problems/index.js'
import { routingError } from './requests.js'

declare module 'fastify' {
  interface FastifyRequest {
    /** The problem it was answered with, if any. */
    problem: Problem | null
  }
}

/** Errors of Fastify itself → what the caller gets. Any other error is a bug of ours. */
const ofFastify: Record<string, { problem: ProblemName, detail: string, hint?: string }> = {
  FST_ERR_CTP_BODY_TOO_LARGE: { problem: 'content-too-large', detail: 'The body is larger than 1 MiB.' },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: { problem: 'unsupported-media-type', detail: 'The Content-Type is no media type.' },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: {
    problem: 'malformed-request', detail: 'The body is not as long as its Content-Length says.'
  },
  FST_ERR_ROUTE_MISSING_CONTENT_TYPE: {
    problem: 'malformed-request', detail: 'A QUERY needs a Content-Type.', hint: 'Nothing here takes a QUERY.'
  },
  FST_ERR_MAX_PARAM_LENGTH: { problem: 'uri-too-long', detail: 'A part of the path is longer than any id.' },
  FST_ERR_BAD_URL: { problem: 'malformed-request', detail: 'The path is not a valid URL path.' }
}

const nothingHere = (method = '', advice = '') => new Problem('route-not-found', {
  detail: `There is nothing at this path${method}.`, hint: `${advice}See ${DOCS_PATH} for what there is.`
})

const SLASH = '/'.charCodeAt(0)

/** Where the path of a URL ends. */
const endOfPath = (url: string): number => {
  const query = url.indexOf('?')
  return query < 0 ? url.length : query
}

/** Errors of plugins with a 4xx status, such as those of the docs page's files: the caller's fault, not ours. */
function ofPlugin (statusCode: number): Problem {
  if (statusCode === 403 || statusCode === 404) return nothingHere()
  if (statusCode === 400) return new Problem('malformed-request', { detail: 'The path is not a valid URL path.' })
  return new Problem('invalid-request', {
    detail: `This path cannot be asked so: ${STATUS_CODES[statusCode] ?? statusCode}.`,
    hint: 'Send the request without If-Match, If-Unmodified-Since and Range.'
  })
}

/** Nobody hears it, but it is no bug either. */
const hungUp = () =>
  new Problem('malformed-request', { detail: 'The connection ended before the whole body was here.' })

/** Whatever was thrown, as a problem. */
function problemOf (error: FastifyError): Problem {
  if (error instanceof Problem) return error
  if (error.validation) return invalidRequest(error.validation as ValidationFailure[], error.validationContext)
  const known = ofFastify[error.code]
  if (known) {
    const { problem, ...details } = known
    return new Problem(problem, details)
  }
  const { statusCode = 500 } = error
  if (statusCode >= 400 && statusCode < 500) return ofPlugin(statusCode)
  return new Problem('internal-error', { detail: 'Something went wrong inside this server.' })
}

/** Answers with a problem, in whatever state the request is. */
function replyWithProblem (thrown: FastifyError, request: FastifyRequest, reply: FastifyReply) {
  const error = thrown ?? Object.assign(new Error(`${thrown} was thrown`), { code: '' })
  const problem = request.raw.errored === error ? hungUp() : problemOf(error)
  if (problem.problem === 'internal-error') {
    request.log.error({ requestId: request.server.conceal(request.id), err: sanitizeError(error) }, 'unexpected error')
  }
  const path = request.url.split('?', 1)[0] ?? ''
  request.problem = problem
  return reply
    .code(problem.status)
    .headers(problem.details.headers ?? {})
    .type('application/problem+json')
    .serializer((body: object) => `${JSON.stringify(body)}\n`)
    .send(problemBody(problem, path, request.id))
}

export default fp(async function problems (app: FastifyInstance) {
  app.decorateRequest('problem', null)
  app.setErrorHandler(replyWithProblem)
  app.setNotFoundHandler(refuse)
  // Before the body is read: nobody needs it, and it has no problems of its own where there is nothing.
  app.addHook('onRequest', (request, _, done) => {
    if (request.is404 || endsWithNothing(request)) refuse(request)
    done()
  })
}, { name: 'problems', dependencies: ['requests'] })

/** Whether the path ends with a slash, so that the id it should end with would be empty. The docs page has both. */
const endsWithNothing = ({ url, operation }: FastifyRequest) => url.charCodeAt(endOfPath(url) - 1) === SLASH &&
  !operation.url?.endsWith('/') && !operation.url?.startsWith(DOCS_PATH)

function refuse (request: FastifyRequest): never {
  const { method, url } = request
  const error = routingError(request)
  if (error) throw error
  const path = url.slice(0, endOfPath(url))
  const without = path.replace(/\/+$/, '')
  const hasSlash = path !== without && without !== ''
  throw nothingHere(` for ${method}`, hasSlash ? `Leave out the slash at the end: ${without}. ` : '')
}
