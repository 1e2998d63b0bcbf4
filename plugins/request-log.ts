import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { withoutTokens } from '../services/masking/index.js'
import { results } from '../services/replies/results.js'
import { openedAccount } from './account.js'

/** One line in the log for each request. */
export default fp(async function requestLog (app: FastifyInstance) {
  /** Also without what is a secret once it is decoded. */
  function concealUrl (url: string): string {
    const decoded = decode(url)
    const isSecret = app.conceal(decoded) !== decoded
    return withoutTokens(isSecret ? app.conceal(decoded) : url)
  }

  const shown = (account: string | undefined) => account && withoutTokens(app.conceal(account))

  /** What the one line of a request says. Memory and calls are shown where a token was right. */
  const summary = (request: FastifyRequest, { statusCode, elapsedTime }: FastifyReply) => ({
    requestId: request.id,
    method: request.method,
    url: concealUrl(request.url),
    operationId: request.routeOptions.config.operationId,
    client: request.client?.name,
    account: shown((request.params as { account?: string } | undefined)?.account),
    status: statusCode,
    milliseconds: Math.round(elapsedTime),
    ...request.client && {
      cache: request.source ? results[request.source].result : undefined, calls: openedAccount(request)?.calls ?? 0
    },
    traceId: request.trace?.id
  })

  app.addHook('onResponse', (request, reply, done) => {
    app.log.info(summary(request, reply), 'request ended')
    done()
  })

  // There is no response then, but a write went on without its caller: nobody but the log learns how it ended.
  app.addHook('onSend', (request, reply, payload, done) => {
    if (reply.raw.destroyed) app.log.info(summary(request, reply), 'caller hung up before its answer')
    done(null, payload)
  })
}, { name: 'request-log', dependencies: ['secrets', 'trace', 'auth'] })

/** What a URL says; one that is no valid URL as it is. */
function decode (url: string): string {
  if (!/[%+]/.test(url)) return url
  try {
    return decodeURIComponent(url.replaceAll('+', ' '))
  } catch {
    return url
  }
}
