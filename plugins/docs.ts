import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import fp from 'fastify-plugin'
import { document } from '../openapi/document.js'
import { DOCS_PATH } from '../openapi/paths.js'
import { script } from '../services/docs-page/script.js'
import { css, favicon, sandboxCss } from '../services/docs-page/theme.js'

/** In the options of swagger-ui, which are written into a script: this expression, as it is. */
const expression = (javascript: string) => Object.assign(() => ({}), { toString: () => javascript })

export default fp(async function docs (app) {
  const { sandbox } = app.configuration
  await app.register(swagger, { mode: 'static', specification: { document: document as never } })
  await app.register(swaggerUi, {
    routePrefix: DOCS_PATH,
    // Closer than the page's own policy, which also sends browsers of plain-http hosts to https for its files.
    staticCSP: {
      'default-src': "'none'",
      'script-src': "'self'",
      'style-src': "'self'",
      'img-src': "'self' data:",
      'connect-src': "'self'",
      'base-uri': "'none'",
      'form-action': "'none'",
      'frame-ancestors': "'none'"
    },
    theme: {
      title: document.info.title,
      css: [{ filename: 'spot-api.css', content: sandbox ? css + sandboxCss : css }],
      js: [{ filename: 'spot-api.js', content: script }],
      favicon: [{ filename: 'favicon.svg', rel: 'icon', type: 'image/svg+xml', sizes: 'any', content: favicon }]
    },
    uiConfig: {
      // The standard layout adds a bar with an address field, and a logo whose inline style the policy forbids.
      layout: 'BaseLayout',
      deepLinking: true,
      displayRequestDuration: true,
      // All operations in sight: the browser's own search finds them, too.
      docExpansion: 'list',
      filter: true,
      syntaxHighlight: { theme: 'tomorrow-night' },
      plugins: [expression('SwaggerUIBundle.plugins.DownloadUrl'), expression('spotApi')],
      defaultModelsExpandDepth: 0,
      tryItOutEnabled: true,
      persistAuthorization: sandbox
    }
  })
}, { name: 'docs', dependencies: ['config'] })
