import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { auditLog, changesOf, hashOf } from '../services/audit/index.js'
import { guardedPaths } from '../services/guardrails/index.js'
import { sanitizeError } from '../services/problems/sanitize-error.js'
import { keyFromHeader, storageKeyOf } from '../services/idempotency/index.js'
import { openedAccount } from './account.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** Goes on in a new file where the one there is was renamed. */
    reopenAudit: () => void
  }
}

/** A line for each write that a client tried, however it ended: who, what, and what came of it. */
export default fp(async function audit (app: FastifyInstance) {
  const { audit: destination } = app.configuration
  const { auditFailures } = app.measurements
  const log = destination && auditLog(destination, (failed, error, dropped) => {
    auditFailures.inc(dropped)
    const err = sanitizeError(error)
    if (failed) app.log.error({ err, dropped }, 'the audit cannot be written; its lines are kept for now')
    else app.log.info({ dropped }, 'the audit is written again')
  })
  app.decorate('reopenAudit', () => log?.reopen())
  app.addHook('onClose', async () => log?.close())
  if (log === undefined) return

  // Before the answer leaves: whoever has an answer finds the line.
  app.addHook('onSend', (request, reply, payload, done) => {
    if (request.client && request.routeOptions.config.audited) log.write(recordOf(request, reply))
    done(null, payload)
  })
}, { name: 'audit', dependencies: ['config', 'metrics', 'problems', 'trace', 'auth'] })

function recordOf (request: FastifyRequest, reply: FastifyReply) {
  const { account = '', ...resource } = request.params as Record<string, string>
  const client = request.client?.name ?? ''
  const key = request.headers['idempotency-key']
  const opened = openedAccount(request)
  // What Spot was asked for; where it did not come to that, what a valid request asks for.
  const { query, body } = opened?.write ?? request
  // In a body that is not as documented, secrets may stand anywhere: nobody would know them.
  const known = request.problem?.problem === 'invalid-request' ? undefined : body
  const identity = request.server.spot.identity(account) ?? ''
  return {
    audit: request.routeOptions.config.operationId,
    time: new Date().toISOString(),
    client,
    address: request.ip,
    account,
    resource,
    location: reply.getHeader('location'),
    options: { ...query as object, ...request.query as object },
    idempotencyKey: typeof key === 'string' ? storageKeyOf(client, identity, keyFromHeader(key)) : undefined,
    outcome: outcomeOf(request, reply),
    status: reply.statusCode,
    calls: opened?.calls ?? 0,
    spotRequestId: opened?.requestId,
    requestId: request.id,
    traceId: request.trace?.id,
    bodyHash: hashOf(known),
    changes: changesOf(known, { first: guardedPaths(known) })
  }
}

function outcomeOf (request: FastifyRequest, reply: FastifyReply) {
  if (request.problem) return request.problem.problem
  return reply.hasHeader('idempotency-replayed') ? 'replayed' : 'done'
}
