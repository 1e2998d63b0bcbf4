import type { Handlers } from '../openapi/handlers.js'
import { release } from '../services/process/release.js'

export const system = {
  ping: () => ({ status: 200, body: 'pong' }),

  ready ({ server }) {
    server.lifecycle.assertReady()
    return { status: 200, body: { ready: true, state: server.state.failure ? 'down' : 'up' } }
  },

  getVersion: ({ server }) => ({ status: 200, body: release(server.configuration.source) }),

  async getMetrics ({ server }) {
    const { registry } = server.measurements
    return { status: 200, headers: { 'content-type': registry.contentType }, body: await registry.metrics() }
  },

  getOpenApiJson: ({ server }) => ({ status: 200, body: { ...server.swagger() } }),

  // The document, as its media type has it: a string.
  getOpenApiYaml: ({ server }) => ({ status: 200, body: server.swagger({ yaml: true }) as never })
} satisfies Partial<Handlers>
