import { setTimeout as sleep } from 'node:timers/promises'
import { Ajv, type Options, type ValidateFunction } from 'ajv'
import addFormats from 'ajv-formats'
import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify'
import fp from 'fastify-plugin'
import { document, operationsOf, resolve, type Operation, type Parameter } from '../openapi/document.js'
import type { Handlers, OperationId } from '../openapi/handlers.js'
import { Problem } from '../services/problems/index.js'
import { DryRun } from '../services/spot/dry-run.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Operation of the contract that the route answers. */
    operationId?: string
  }
}

type AnyHandler = (request: FastifyRequest) => Answer | Promise<Answer>
interface Answer { status: number, headers?: Record<string, string | undefined>, body?: unknown }

/** The components are known to the validator once, under this id; references lead there. */
const ROOT = 'spot-api'

/** The document itself is checked when it is linted and in tests; at the start that would cost a tenth of a second. */
const atOnce: Options = { meta: false, validateSchema: false, code: { optimize: false } }

/**
 * Compiles each schema once, however many routes and apps have it: most operations share their parameters. It does so
 * when the schema is first needed, or when the server has nothing better to do (`warmUp`): all of them together take a
 * quarter of a second, which would be the longest part of a start.
 */
function compiler (options: Options) {
  const ajv = new Ajv({
    strict: true, allErrors: true, removeAdditional: false, keywords: ['components'], ...atOnce, ...options
  })
  addFormats.default(ajv)
  ajv.addSchema({ $id: ROOT, components: document.components })
  const known = new Map<string, LazyValidator>()
  return (schema: object): LazyValidator => {
    const key = JSON.stringify(schema)
    const validator = known.get(key) ?? lazily(() => ajv.compile(schema))
    known.set(key, validator)
    return validator
  }
}

/** What Fastify takes for a validator: whether a value is valid, and if not, the `errors`. */
interface LazyValidator {
  (value: unknown): boolean
  errors?: ValidateFunction['errors']
  compile (): void
}

function lazily (compile: () => ValidateFunction): LazyValidator {
  let validate: ValidateFunction | undefined
  const validator: LazyValidator = (value) => {
    validate ??= compile()
    const valid = validate(value)
    validator.errors = validate.errors
    return valid
  }
  validator.compile = () => { validate ??= compile() }
  return validator
}

/** Bodies reach Spot as they came: nothing is coerced, filled in or taken out. Parameters are text: they need it. */
const compileBody = compiler({ coerceTypes: false, useDefaults: false })
const compileParameters = compiler({ coerceTypes: 'array', useDefaults: true })

/**
 * Parameters of one kind as one object, closed save for headers: a misspelt one is refused, not ignored. Node has the
 * names of headers in lower case.
 */
function parametersSchema (all: Parameter[], kind: Parameter['in']) {
  const named = all.filter((parameter) => parameter.in === kind)
  const nameOf = ({ name }: Parameter) => kind === 'header' ? name.toLowerCase() : name
  return {
    type: 'object',
    properties: Object.fromEntries(named.map((parameter) => [nameOf(parameter), absolute(parameter.schema)])),
    required: named.filter(({ required }) => required).map(nameOf),
    additionalProperties: kind === 'header'
  }
}

const absolute = (schema: object) =>
  '$ref' in schema ? { $ref: `${ROOT}${String(schema.$ref)}` } : schema

/** Media type of what a write would have sent. */
const DRY_RUN = 'application/vnd.spot-api.dry-run+json'

const isDryRun = (response: Operation['responses'][string] | undefined) =>
  response !== undefined && resolve(response).content?.[DRY_RUN] !== undefined

/** `/v1/spot/{account}` → `/v1/spot/:account` */
const routePath = (path: string) => path.replace(/\{(\w+)\}/g, ':$1')

export default fp(async function contract (app: FastifyInstance, { handlers }: { handlers: Handlers }) {
  const validators = new Set<LazyValidator>()
  app.setValidatorCompiler<object>(({ schema, httpPart }) => {
    const validator = httpPart === 'body' ? compileBody(schema) : compileParameters(schema)
    validators.add(validator)
    return validator as never
  })
  app.addHook('onListen', () => { warmUp(validators) })
  app.setSerializerCompiler(() => (body) => JSON.stringify(body))

  for (const { path, method, operation, parameters } of operationsOf(document)) {
    const { operationId, security, requestBody, responses } = operation
    const handler = handlers[operationId as OperationId] as AnyHandler
    const dryRunStatus = Number(Object.keys(responses).find((status) => isDryRun(responses[status])))
    // What is read of an account comes of Spot, and may be given again for a moment.
    const isRead = method === 'get' && path.includes('/{account}/')
    const answer = async (request: FastifyRequest): Promise<Answer & { mediaType?: string }> => {
      try {
        return await handler(request)
      } catch (error) {
        if (!(error instanceof DryRun)) throw error
        return { status: dryRunStatus, body: { dryRun: true, request: error.request }, mediaType: DRY_RUN }
      }
    }
    const mediaTypes = Object.fromEntries(Object.entries(responses).map(([status, response]) =>
      [status, Object.keys(resolve(response).content ?? {})[0]]))

    app.route({
      method: method.toUpperCase() as HTTPMethods,
      url: routePath(path),
      config: { operationId },
      schema: {
        params: parametersSchema(parameters, 'path'),
        querystring: parametersSchema(parameters, 'query'),
        ...parameters.some((parameter) => parameter.in === 'header') && {
          headers: parametersSchema(parameters, 'header')
        },
        ...requestBody && { body: absolute(requestBody.content['application/json'].schema) }
      },
      ...security?.length !== 0 && {
        onRequest: [app.auth([app.verifyToken]), app.permit, ...isRead ? [app.replies.sendAgain] : [], app.admit],
        ...method !== 'get' && { preHandler: [app.permitBody, app.replay, app.guard] }
      },
      async handler (request, reply): Promise<unknown> {
        const { status, headers = {}, body, mediaType } = await answer(request)
        if (isRead) return await app.replies.send(request, reply, { headers, body })
        const type = mediaType ?? mediaTypes[status]
        if (type) reply.type(type)
        return reply.code(status).headers(headers).send(body)
      }
    })
  }

  for (const [path, item] of Object.entries(document.paths)) {
    const known = Object.keys(item).map((method) => method.toUpperCase())
    const others = app.supportedMethods.filter((method) => !known.includes(method)) as HTTPMethods[]
    const allow = known.filter((method) => (app.supportedMethods as string[]).includes(method)).join(', ')
    app.route({ method: others, url: routePath(path), onRequest: refuse(allow), handler: refuse(allow) })
  }
}, {
  name: 'contract',
  dependencies: ['auth', 'admission', 'spot', 'guardrails', 'idempotency', 'metrics', 'docs', 'replies']
})

/** One at a time, between requests; a process that ends does not wait for it. */
async function warmUp (validators: Iterable<LazyValidator>): Promise<void> {
  for (const validator of validators) {
    await sleep(1, undefined, { ref: false })
    validator.compile()
  }
}

const refuse = (allow: string) => async (request: FastifyRequest, _: FastifyReply) => {
  throw new Problem('method-not-allowed', {
    detail: `${request.method} is not possible here.`,
    hint: `This path takes ${allow}.`,
    headers: { allow }
  })
}
