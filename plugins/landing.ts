import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { BASE, DOCS_PATH, pathOf } from '../openapi/paths.js'
import { Problem } from '../services/problems/index.js'

/** Where people begin who know only the address: a browser is led to the docs page, others learn where things are. */
export default fp(async function landing (app: FastifyInstance) {
  for (const url of ['/', BASE, `${BASE}/`]) {
    app.get(url, async ({ headers: { accept = '' } }, reply) => {
      reply.vary('Accept')
      if (accept.includes('text/html')) return reply.redirect(DOCS_PATH, 303)
      throw new Problem('route-not-found', {
        detail: 'There is nothing at this path.',
        hint: `The docs page is at ${DOCS_PATH}, the OpenAPI document at ${pathOf('getOpenApiJson', {})}; ` +
          `${pathOf('listAccounts', {})} lists the accounts.`
      })
    })
  }
}, { name: 'landing', dependencies: ['problems', '@fastify/sensible'] })
