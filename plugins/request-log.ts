import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { symbols, type Logger } from 'pino'
import { withoutTokens } from '../services/masking/index.js'
import type { Problem } from '../services/problems/index.js'
import { reasonOf } from '../services/problems/reason.js'
import { field, fields, quoted } from '../services/process/log-line.js'
import { results } from '../services/replies/results.js'
import { openedAccount } from './account.js'

type Message = 'request ended' | 'caller hung up before its answer'

/** One line in the log for each request: who asked for what, and what came of it and why. */
export default fp(async function requestLog (app: FastifyInstance) {
  const shown = (text: string | undefined) => text && withoutTokens(app.conceal(text))

  function reason (problem: Problem) {
    const { detail, ...rest } = reasonOf(problem)
    return detail === undefined ? rest : { ...rest, detail: shown(detail) }
  }

  /** What the one line of a request says. Memory and calls are shown where a token was right. */
  function fieldsOf (request: FastifyRequest, { statusCode, elapsedTime }: FastifyReply): string {
    const { client, source, problem } = request
    return `,"requestId":${quoted(app.conceal(request.id))},"method":"${request.method}"` +
      field('url', shown(request.url)) +
      field('operationId', request.operation.operationId) +
      field('client', client?.name) +
      field('address', shown(request.ip)) +
      field('account', shown((request.params as { account?: string } | undefined)?.account)) +
      `,"status":${statusCode},"milliseconds":${Math.round(elapsedTime)}` +
      (source ? `,"cache":"${results[source].result}"` : '') +
      (client ? `,"calls":${openedAccount(request)?.calls ?? 0}` : '') +
      field('traceId', shown(request.trace?.id)) +
      (problem ? fields(reason(problem)) : '')
  }

  const logger = app.log as Logger
  const write = writer(logger)

  /** A warning, if it is not the caller's fault. */
  function log (request: FastifyRequest, reply: FastifyReply, message: Message) {
    const level = reply.statusCode >= 500 ? 'warn' : 'info'
    if (logger.isLevelEnabled(level)) write(level, fieldsOf(request, reply), message)
  }

  app.addHook('onResponse', (request, reply, done) => {
    log(request, reply, 'request ended')
    done()
  })

  // There is no response then, but a write went on without its caller: nobody but the log learns how it ended.
  app.addHook('onSend', (request, reply, payload, done) => {
    if (reply.raw.destroyed) log(request, reply, 'caller hung up before its answer')
    done(null, payload)
  })
}, { name: 'request-log', dependencies: ['secrets', 'trace', 'auth', 'problems'] })

/** Writes the line that pino would write, in less time: pino looks for a serializer of each field of each line. */
function writer (log: Logger) {
  const { lsCacheSym, chindingsSym, streamSym } = symbols
  const parts = log as unknown as Record<symbol, unknown>
  const levels = parts[lsCacheSym] as Record<number, string>
  const bindings = parts[chindingsSym] as string
  const stream = parts[streamSym] as { write (line: string): void }
  return (level: 'info' | 'warn', fields: string, message: Message) => {
    const start = `${levels[log.levels.values[level] as number]},"time":${Date.now()}${bindings}`
    stream.write(`${start}${fields},"msg":"${message}"}\n`)
  }
}
