import Fastify from 'fastify'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { addControl, isControl, refuseControl } from './control/routes.js'
import type { Controlled } from './control/routes.js'
import { kindOf } from './faults/model.js'
import { serveAfterLatency, applyFault } from './faults/engine.js'
import type { ListShape, Operation } from './operation.js'
import { OPERATIONS } from './operations.js'
import type { Authorization } from './protocol/authorization.js'
import { failure, limitExceeded, success, unreadable } from './protocol/envelope.js'
import type { Reply } from './protocol/envelope.js'
import { refusal, SandboxError } from './protocol/errors.js'
import { rateLimitHeaders } from './protocol/rate-limit.js'
import type { Usage } from './protocol/rate-limit.js'
import { catchUp } from './tasks.js'
import { lineOf, record } from './transcript.js'
import type { RecordedCall } from './transcript.js'

/** What the app is built from. */
export interface Parts extends Controlled {
  authorization: Authorization
  listShape: ListShape
  /** Gets a line for each call, once that has been answered or its connection is gone. */
  log: ((line: string) => void) | undefined
}

const BODY_LIMIT_BYTES = 4 * 1024 * 1024

/**
 * Words that stand in some of Spot's paths where others have an id: /aws/ec2/managedInstance/migration. They are never
 * taken for an id.
 */
const FIXED_SEGMENTS = new Set(['migration', 'state', 'instance', 'autoScalingGroup', 'interruption', 'signal'])

function neverUsed (): never {
  throw new Error('no route of the sandbox has a schema')
}

/** The HTTP side of the sandbox, not yet listening. */
export function buildApp (parts: Parts): FastifyInstance {
  const app = Fastify({
    logger: false,
    bodyLimit: BODY_LIMIT_BYTES,
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 4096 },
    // No route has a schema: without these, most of the start would go into loading Ajv.
    schemaController: { compilersFactory: { buildValidator: neverUsed, buildSerializer: neverUsed } },
    // A path that cannot be decoded skips the hooks, so it is recorded here, as an unknown route.
    frameworkErrors: (_error, request, reply) => {
      recordArrival(request, reply)
      return answer(request, reply, undefined)
    }
  })
  const calls = new WeakMap<object, RecordedCall>()

  function recordArrival (request: FastifyRequest, reply: FastifyReply): void {
    const { authorization, ...headers } = request.headers
    const call: RecordedCall = {
      method: request.method,
      path: (request.raw.url ?? '').split('?', 1)[0] ?? '',
      route: undefined,
      query: { ...request.query as RecordedCall['query'] },
      headers,
      body: undefined,
      status: undefined,
      committed: false,
      at: parts.clock.now()
    }
    calls.set(request.raw, call)
    record(parts.transcript, call)
    const { log } = parts
    if (log === undefined) return
    const began = performance.now()
    reply.raw.once('close', () => log(lineOf(call, request.url, performance.now() - began)))
  }

  async function answer (request: FastifyRequest, reply: FastifyReply, operation: Operation | undefined) {
    const call = calls.get(request.raw)
    if (call === undefined) throw new Error('every call is recorded on arrival')
    call.route = operation?.path
    const organization = parts.authorization.organizationOf(request.headers.authorization)
    const usage = operation === undefined || organization === undefined
      ? parts.rateLimit.unused()
      : parts.rateLimit.count(`${organization} ${operation.method} ${operation.path}`, call.at)
    const isReadable = parseBody(call, request)
    const params = request.params as Record<string, string>
    const serve = () => isReadable
      ? execute(parts, call, { operation, organization, usage, params })
      : unreadable()
    const headers = rateLimitHeaders(usage)
    const fault = parts.faults.take(call)
    if (fault !== undefined && kindOf(fault) !== undefined) {
      reply.hijack()
      const placeholder = success(call, operation?.kind, [])
      call.status = await applyFault({ response: reply.raw, fault, call, headers, reply: placeholder }, serve)
      return reply
    }
    const served = fault === undefined ? serve() : await serveAfterLatency(fault, serve)
    call.status = served.status
    return reply.code(served.status).type(served.contentType).headers({ ...headers, ...fault?.headers })
      .send(served.text)
  }

  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => { done(null, body) })
  app.addHook('onRequest', async (request, reply) => { if (!isControl(request.url)) recordArrival(request, reply) })
  for (const operation of OPERATIONS) {
    app.route({
      method: operation.method,
      url: operation.path.replace(/\{(\w+)\}/g, ':$1'),
      handler: (request, reply) => {
        const params = Object.values(request.params as Record<string, string>)
        return answer(request, reply, params.some((param) => FIXED_SEGMENTS.has(param)) ? undefined : operation)
      }
    })
  }
  addControl(app, parts)
  app.setNotFoundHandler((request, reply) =>
    isControl(request.url) ? refuseControl(request.url, reply) : answer(request, reply, undefined))
  app.setErrorHandler<Error & { statusCode?: number }>((error, request, reply) => {
    // Errors of Fastify itself, such as a body over the limit.
    const call = calls.get(request.raw)
    const asked = call ?? { method: request.method, path: request.url, at: parts.clock.now() }
    const status = error.statusCode ?? 500
    const { text, contentType } = failure(asked, status, [{ code: String(status), message: error.message }])
    if (call !== undefined) call.status = status
    return reply.code(status).headers(rateLimitHeaders(parts.rateLimit.unused())).type(contentType).send(text)
  })
  return app
}

/** Parses a JSON body into the recorded call. @returns false if it claims to be JSON and is not */
function parseBody (call: RecordedCall, request: FastifyRequest): boolean {
  const { body } = request
  if (typeof body !== 'string' || body.trim() === '') return true
  if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) return true
  try {
    call.body = JSON.parse(body)
    return true
  } catch {
    return false
  }
}

/** What is known of a call before its operation runs. */
interface Match {
  operation: Operation | undefined
  organization: string | undefined
  usage: Usage
  params: Record<string, string>
}

/** Checks limit, route and account, then runs the operation. Never throws. */
function execute (parts: Parts, call: RecordedCall, match: Match): Reply {
  const { authorization, clock, listShape, onChange, world } = parts
  const { operation, organization, usage, params } = match
  if (usage.blocked) return limitExceeded(call)
  try {
    if (operation === undefined) throw refusal('UNKNOWN_ROUTE')
    const account = world.account(authorization.admit(organization, call.query.accountId))
    const { query, body } = call
    const now = clock.now()
    catchUp(account, now)
    const found = operation.handle({ account, params, query, body, now, listShape })
    call.committed = operation.method !== 'GET'
    if (call.committed) onChange()
    return success(call, operation.kind, found)
  } catch (error) {
    if (error instanceof SandboxError) return failure(call, error.status, error.errors)
    // A bug in the sandbox. It is not thrown on: in a late commit nobody would catch it, and the process would end.
    return failure(call, 500, [{ code: 'SandboxBug', message: String(error) }])
  }
}
