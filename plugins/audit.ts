import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { auditLog, bodyValuesOf, documentedPaths, hashOf } from '../services/audit/index.js'
import { rewritten, withoutTokens } from '../services/masking/index.js'
import { sanitizeError } from '../services/problems/sanitize-error.js'
import { keyFromHeader, storageKeyOf } from '../services/idempotency/index.js'
import { openedAccount } from './account.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** Closes the audit file and opens it again by its name: log rotation renames it, then sends SIGHUP. */
    reopenAudit: () => void
  }
}

/** A line for each write that a client tried, however it ended: who, what, and what came of it. */
export default fp(async function audit (app: FastifyInstance) {
  const { audit: destination } = app.configuration
  const log = destination && auditLog(destination, (failed, error, dropped) => {
    const err = sanitizeError(error)
    if (!failed) app.log.info({ dropped }, 'the audit is written again')
    else if (dropped > 0) app.log.error({ err, dropped }, 'audit lines are lost: free the disk, or correct the path')
    else app.log.error({ err }, 'the audit cannot be written: 10,000 lines are kept, and tried again every second')
  })
  app.decorate('reopenAudit', () => log?.reopen())
  app.addHook('onClose', async () => log?.close())
  if (log === undefined) return
  app.measurements.auditFailures(() => log.lost)

  /** A caller may put a key or a token anywhere. */
  const conceal = (text: string) => withoutTokens(app.conceal(text))

  // Written before the answer leaves, so a caller who has an answer can find its line.
  app.addHook('onSend', (request, reply, payload, done) => {
    if (request.client && request.operation.audited) {
      log.write(rewritten(recordOf(request, reply), conceal) as object)
    }
    done(null, payload)
  })
}, { name: 'audit', dependencies: ['config', 'secrets', 'metrics', 'problems', 'trace', 'auth'] })

function recordOf (request: FastifyRequest, reply: FastifyReply) {
  const { account = '', ...resource } = request.params as Record<string, string>
  const client = request.client?.name ?? ''
  const key = request.headers['idempotency-key']
  const opened = openedAccount(request)
  // The write as Spot was asked for it. If none was, the request itself.
  const { query, body } = opened?.write ?? request
  // A body that is not as documented is left out: a secret may be under any name.
  const recorded = request.problem?.problem === 'invalid-request' ? undefined : body
  const identity = request.server.spot.identity(account) ?? ''
  const { operation, routeOptions: { schema } } = request
  return {
    // First, and so named, to tell audit lines from log lines on the standard output.
    audit: operation.operationId,
    time: new Date().toISOString(),
    client,
    address: request.ip,
    account,
    resource,
    location: reply.getHeader('location'),
    // What was sent to Spot, and what the caller wrote.
    options: { ...query as object, ...request.query as object },
    idempotencyKey: operation.replayable && typeof key === 'string'
      ? storageKeyOf(client, identity, keyFromHeader(key))
      : undefined,
    outcome: outcomeOf(request, reply),
    status: reply.statusCode,
    calls: opened?.calls ?? 0,
    spotRequestId: opened?.requestId,
    requestId: request.id,
    traceId: request.trace?.id,
    bodyHash: hashOf(recorded),
    changes: bodyValuesOf(recorded, { first: documentedPaths(recorded, schema?.body ?? {}) })
  }
}

function outcomeOf (request: FastifyRequest, reply: FastifyReply) {
  if (request.problem) return request.problem.problem
  return reply.hasHeader('idempotency-replayed') ? 'replayed' : 'done'
}
