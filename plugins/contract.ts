import type { FastifyInstance, FastifyRequest, HTTPMethods } from 'fastify'
import fp from 'fastify-plugin'
import { document, operationsOf, resolve, type Operation } from '../openapi/document.js'
import type { Handlers } from '../openapi/handlers.js'
import { operations, type OperationRow } from '../openapi/operations.js'
import { routePath } from '../openapi/paths.js'
import { requestSchemas, type RequestPart } from '../openapi/request-schemas.js'
import { validatorOf } from '../openapi/validators.js'

declare module 'fastify' {
  /** The row of the operation that the route answers; nothing for what is none. */
  interface FastifyContextConfig extends Partial<OperationRow> {}
}

type AnyHandler = (request: FastifyRequest) => Answer | Promise<Answer>
interface Answer { status: number, headers?: Record<string, string | undefined>, body?: unknown }

/**
 * A route for each operation of the document, with its hooks in their order. Requests are checked as the document says.
 * Replies are written as they are: tests check them.
 */
export default fp(async function contract (app: FastifyInstance, { handlers }: { handlers: Handlers }) {
  // A newline at the end, so that a terminal begins a new line after it.
  app.setReplySerializer((body) => `${JSON.stringify(body)}\n`)
  const authenticated = app.auth([app.verifyToken])
  /** What is read of an account may be given again for a moment. */
  const isRemembered = ({ kind, inAccount }: OperationRow) => kind === 'read' && inAccount

  const hooksOf = (row: OperationRow) => ({
    onRequest: row.kind === 'public'
      ? [...row.tokenOptional ? [app.permit.metrics] : [], app.preconditions.refuse]
      : [
          authenticated, app.permit.operation, app.preconditions.refuse,
          ...isRemembered(row) ? [app.replies.sendAgain] : [], app.admit
        ],
    ...row.kind === 'write' && {
      preHandler: [
        app.permit.body,
        ...row.replayable ? [app.replay] : [],
        ...row.guarded ? [app.guard] : [],
        ...row.ifMatch ? [app.preconditions.check] : [],
        app.permit.body
      ]
    }
  })

  for (const { path, method, operation, parameters } of operationsOf(document)) {
    const row = operations[operation.operationId]
    const answer = handlers[row.operationId] as AnyHandler
    const remembered = isRemembered(row)
    const mediaTypes = mediaTypesOf(operation)
    app.route({
      method: method.toUpperCase() as HTTPMethods,
      url: routePath(path),
      config: { ...row },
      schema: requestSchemas(operation, parameters),
      validatorCompiler: ({ schema, httpPart }) => validatorOf(row.operationId, httpPart as RequestPart, schema),
      ...hooksOf(row),
      async handler (request, reply): Promise<unknown> {
        const { status, headers = {}, body } = await answer(request)
        if (remembered) return await app.replies.send(request, reply, { headers, body })
        const type = mediaTypes[status]
        if (type) reply.type(type)
        return reply.code(status).headers(headers).send(body)
      }
    })
  }
}, {
  name: 'contract',
  dependencies: [
    'auth', 'permission', 'admission', 'spot', 'guardrails', 'preconditions', 'idempotency', 'metrics',
    'docs', 'replies'
  ]
})

/** The media type of each status that has a body. */
const mediaTypesOf = ({ responses }: Operation) => Object.fromEntries(Object.entries(responses)
  .map(([status, response]) => [status, Object.keys(resolve(response).content ?? {})[0]]))
