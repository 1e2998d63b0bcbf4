import sensible from '@fastify/sensible'
import Fastify, { LogController, type FastifyInstance } from 'fastify'
import account from './plugins/account.js'
import admission from './plugins/admission.js'
import audit from './plugins/audit.js'
import auth from './plugins/auth.js'
import body from './plugins/body.js'
import caching from './plugins/caching.js'
import compression from './plugins/compression.js'
import config from './plugins/config.js'
import contract from './plugins/contract.js'
import cors from './plugins/cors.js'
import docs from './plugins/docs.js'
import guardrails from './plugins/guardrails.js'
import idempotency from './plugins/idempotency.js'
import landing from './plugins/landing.js'
import lifecycle from './plugins/lifecycle.js'
import memory from './plugins/memory.js'
import methods from './plugins/methods.js'
import metrics from './plugins/metrics.js'
import permission from './plugins/permission.js'
import preconditions from './plugins/preconditions.js'
import problems from './plugins/problems.js'
import reload from './plugins/reload.js'
import replies from './plugins/replies.js'
import requestLog from './plugins/request-log.js'
import requests, { requestId, routeNowhere } from './plugins/requests.js'
import secrets from './plugins/secrets.js'
import spot from './plugins/spot.js'
import state from './plugins/state.js'
import trace from './plugins/trace.js'
import { malformedHttp } from './services/problems/malformed-http.js'
import { finders, handlers } from './routes/index.js'
import { trusting } from './services/access/proxies.js'
import type { Configuration } from './services/configuration/index.js'

export interface BuildOptions {
  /** Where the log goes; default: the standard output. */
  log?: { write (line: string): void }
}

const noCompiler = () => () => { throw new Error('a route has a schema, but no compiler of its own') }

/** The gateway, ready to listen. The one place where Fastify is made: tests and the server share its rules. */
export async function build (configuration: Configuration, { log }: BuildOptions = {}) {
  const app: FastifyInstance = Fastify({
    logger: { level: configuration.logLevel, ...log && { stream: log } },
    logController: new LogController({ disableRequestLogging: true }),
    // A logger of its own for each request would be a good part of answering one from memory.
    childLoggerFactory: (logger) => logger,
    genReqId: requestId,
    trustProxy: trusting(configuration.trustedProxies),
    bodyLimit: 1024 * 1024,
    requestTimeout: 30_000,
    // Were the headers allowed more than the whole, as by default, Node would take the one time for the other.
    http: { headersTimeout: 30_000, connectionsCheckingInterval: 5000 },
    connectionTimeout: 120_000,
    keepAliveTimeout: 72_000,
    return503OnClosing: false,
    routerOptions: { maxParamLength: 128 },
    frameworkErrors: routeNowhere,
    // None of Fastify's own: to load them takes longer than to load Fastify. plugins/contract.ts sets what is used.
    schemaController: { compilersFactory: { buildValidator: noCompiler, buildSerializer: noCompiler } },
    clientErrorHandler: malformedHttp
  })
  await app.register(sensible)
  await app.register(config, { configuration })
  await app.register(reload)
  await app.register(secrets)
  await app.register(requests)
  await app.register(cors)
  await app.register(body)
  await app.register(trace)
  await app.register(problems)
  await app.register(lifecycle)
  await app.register(metrics)
  await app.register(auth)
  await app.register(permission)
  await app.register(requestLog)
  await app.register(audit)
  await app.register(memory)
  await app.register(spot)
  await app.register(account)
  await app.register(replies)
  await app.register(guardrails)
  await app.register(preconditions, { reads: handlers })
  await app.register(state)
  await app.register(idempotency, { finders })
  await app.register(admission)
  await app.register(caching)
  await app.register(compression)
  await app.register(docs)
  await app.register(landing)
  await app.register(contract, { handlers })
  await app.register(methods)
  return app
}
