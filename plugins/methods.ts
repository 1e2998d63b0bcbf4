import type { FastifyInstance, FastifyRequest, HTTPMethods } from 'fastify'
import fp from 'fastify-plugin'
import { document } from '../openapi/document.js'
import { routePath } from '../openapi/paths.js'
import { Problem } from '../services/problems/index.js'

/** Methods of the document that bring others along: Fastify adds a HEAD to each GET. */
const WITH_OTHERS: Record<string, string[]> = { get: ['GET', 'HEAD'] }

/** Every other method of a path is 405 with `Allow`: Fastify would answer 404. */
export default fp(async function methods (app: FastifyInstance) {
  for (const [path, item] of Object.entries(document.paths)) {
    const known = Object.keys(item).flatMap((method) => WITH_OTHERS[method] ?? method.toUpperCase())
    const others = app.supportedMethods.filter((method) => !known.includes(method)) as HTTPMethods[]
    const allow = known.filter((method) => (app.supportedMethods as string[]).includes(method)).join(', ')
    app.route({ method: others, url: routePath(path), onRequest: refuse(allow), handler: refuse(allow) })
  }
}, { name: 'methods', dependencies: ['problems'] })

const refuse = (allow: string) => async ({ method }: FastifyRequest) => {
  throw new Problem('method-not-allowed', {
    detail: `${method} is not possible here.`,
    hint: `This path takes ${allow}.`,
    headers: { allow }
  })
}
