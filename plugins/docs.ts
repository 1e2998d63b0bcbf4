import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import fp from 'fastify-plugin'
import { document } from '../openapi/document.js'

export const DOCS_PATH = '/v1/spot/docs'

/** Calm colours, and the authorize button where the eye goes first. */
const css = `
  .swagger-ui .topbar { display: none }
  .swagger-ui .info { margin: 2rem 0 1rem }
  .swagger-ui .info .title small { vertical-align: middle }
  .swagger-ui .scheme-container { box-shadow: none; border-bottom: 1px solid #e3e6ea; padding: 1rem 0; margin: 0 }
  .swagger-ui .opblock-tag { border-bottom-color: #e3e6ea }
  .swagger-ui .opblock .opblock-summary-method { min-width: 5.5rem }
  .swagger-ui .btn.authorize { color: #fff; background: #1d7a5f; border-color: #1d7a5f }
  .swagger-ui .btn.authorize svg { fill: #fff }
`

export default fp(async function docs (app) {
  await app.register(swagger, { mode: 'static', specification: { document: document as never } })
  await app.register(swaggerUi, {
    routePrefix: DOCS_PATH,
    staticCSP: true,
    // The default asks browsers to fetch the page's own files by https, which breaks plain-http hosts.
    transformStaticCSP: (header) => header.replace(/upgrade-insecure-requests;?/, ''),
    theme: { title: document.info.title, css: [{ filename: 'spot-api.css', content: css }] },
    uiConfig: {
      deepLinking: true,
      displayRequestDuration: true,
      docExpansion: 'list',
      defaultModelsExpandDepth: 0,
      tryItOutEnabled: true,
      persistAuthorization: app.configuration.sandbox
    }
  })
}, { name: 'docs', dependencies: ['config'] })
